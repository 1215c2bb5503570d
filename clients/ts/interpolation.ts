import { positionAt, samePoint, tickRateOf } from "./course.ts";
import type { Course } from "./course.ts";
import type { WorldEntity } from "./entity.ts";
import type { ServerClock } from "./server-clock.ts";
import type { Point } from "./value.ts";
import type { WorldView } from "./world-view.ts";

/** How far in the past the world is shown unless the caller says otherwise, in ticks: room for one late message. */
const DELAY_TICKS = 2;
/**
 * How long after the last message entities are carried on by their velocity, in milliseconds. While something
 * moves a message comes every two seconds, so the stream is stalled by then, and they stand until it goes on.
 */
const MAX_EXTRAPOLATION_MS = 2_500;
/** A way between two corners that is longer than what the velocity explains, by this many tiles, is a leap. */
const SNAP_DISTANCE = 3;
/** Over how many ticks an entity slides to where it should be when news of it come too late. */
const CORRECTION_TICKS = 2;
/** Corners kept of each entity's way: at 20 ticks a second at least more than a second and a half. */
const HISTORY_LIMIT = 32;
/** What counts as the same place, in tiles: rounding errors, far below the 1/256 of the wire. */
const SAME_PLACE_TILES = 1e-6;

/** Smooth positions for drawing, made of what a view receives. */
export interface Interpolator {
  /** Where to draw the entity now, in tiles; undefined when it is not in view. */
  position(id: number): Point | undefined;
  /** Stops listening to the view. */
  close(): void;
}

/** What an interpolator is made with. */
export interface InterpolatorOptions {
  readonly view: WorldView;
  readonly clock: Pick<ServerClock, "tickNow" | "tickMs">;
  /** How far in the past the world is shown, in milliseconds. 0 reckons where everything is now. Default: two ticks. */
  readonly delayMs?: number;
  /** How long after the last message entities are carried on by their velocity, in milliseconds. Default: 2,500. */
  readonly maxExtrapolationMs?: number;
  /** A way that is this many tiles longer than the velocity explains is not walked but leapt. Default: 3. */
  readonly snapDistance?: number;
}

/** The way of an entity. */
interface Track {
  /** Where its course changed, the oldest first. Between two corners it goes straight, after the last one by its velocity. */
  readonly corners: Course[];
  /** How far off it was drawn when news of it came too late, and the tick of that; it fades away. */
  error: { readonly offset: Point; readonly tick: number } | undefined;
}

/** Creates an interpolator, which listens to the view until it is closed. */
export function createInterpolator(options: InterpolatorOptions): Interpolator {
  const { view, clock } = options;
  const { maxExtrapolationMs = MAX_EXTRAPOLATION_MS, snapDistance = SNAP_DISTANCE } = options;
  const tracks = new Map<number, Track>();
  /** The tick of the newest message that the tracks include. */
  let heardTick = view.tick;

  /** Where the corners lead by now, as far as the messages up to a tick tell. Undefined before the clock knows the tick. */
  const reckon = ({ corners }: Track, lastTick: number): Point | undefined => {
    const tickNow = clock.tickNow();
    const tickMs = clock.tickMs();
    if (tickNow === undefined || tickMs === undefined) return undefined;
    const rateHz = tickRateOf(view.scene);
    const delay = options.delayMs === undefined ? DELAY_TICKS : options.delayMs / tickMs;
    const limit = lastTick + (maxExtrapolationMs / 1000) * rateHz;
    return pointOn(corners, Math.min(tickNow - delay, limit), rateHz, snapDistance);
  };
  const withError = (point: Point, { error }: Track): Point => {
    if (!error) return point;
    const rest = 1 - ((clock.tickNow() ?? error.tick) - error.tick) / CORRECTION_TICKS;
    return offsetBy(point, error.offset, Math.max(0, Math.min(1, rest)));
  };

  const begin = (entity: WorldEntity): void => {
    tracks.set(entity.id, { corners: [courseOf(entity, view.tick)], error: undefined });
  };
  const follow = (entity: WorldEntity, track: Track): void => {
    const before = reckon(track, heardTick);
    addCorner(track.corners, courseOf(entity, view.tick), tickRateOf(view.scene));
    const after = reckon(track, view.tick);
    if (!before || !after || isSamePlace(before, after)) return;
    const offset = offsetBy(withError(before, track), after, -1);
    const isLeap = length(offset) > snapDistance;
    track.error = isLeap ? undefined : { offset, tick: clock.tickNow() ?? 0 };
  };

  for (const entity of view.entities.values()) begin(entity);
  const subscriptions = [
    view.onAdd(begin),
    view.onRemove(({ id }) => void tracks.delete(id)),
    view.onUpdate(() => {
      // All of them: who was held where it is has not changed, and is off its course for that.
      for (const [id, track] of tracks) {
        const entity = view.entities.get(id);
        if (entity) follow(entity, track);
      }
      heardTick = view.tick;
    }),
  ];

  return {
    position(id) {
      const track = tracks.get(id);
      const point = track && reckon(track, heardTick);
      return track && (point ? withError(point, track) : view.entities.get(id)?.position);
    },
    close() {
      for (const unsubscribe of subscriptions) unsubscribe();
      tracks.clear();
    },
  };
}

function courseOf({ position, velocity }: WorldEntity, tick: number): Course {
  return { tick, position, velocity };
}

function addCorner(corners: Course[], next: Course, rateHz: number): void {
  let last = corners.at(-1);
  if (last?.tick === next.tick) {
    corners.pop();
    last = corners.at(-1);
  }
  if (last) {
    if (goesOn(last, next, rateHz)) return;
    // Nothing was sent of it, so it went on as it did until a tick ago, and turned, stepped or leapt there.
    const turn = next.tick - 1;
    if (turn > last.tick) {
      corners.push({ ...last, tick: turn, position: positionAt(last, turn, rateHz) });
    }
  }
  corners.push(next);
  while (corners.length > HISTORY_LIMIT) corners.shift();
}

/** Whether the one course leads into the other, so that there is no corner between. */
function goesOn(last: Course, next: Course, rateHz: number): boolean {
  return (
    samePoint(last.velocity, next.velocity) &&
    isSamePlace(positionAt(last, next.tick, rateHz), next.position)
  );
}

function pointOn(
  corners: readonly Course[],
  tick: number,
  rateHz: number,
  snapDistance: number,
): Point | undefined {
  const next = corners.findIndex((corner) => corner.tick > tick);
  const newest = corners.at(-1);
  if (next < 0) return newest && positionAt(newest, tick, rateHz);
  const [before, after] = [corners[next - 1], corners[next]];
  if (!before || !after) return corners[0]?.position;
  const ticks = after.tick - before.tick;
  const speed = Math.max(length(before.velocity), length(after.velocity));
  const way = offsetBy(after.position, before.position, -1);
  if (length(way) > snapDistance + (speed * ticks) / rateHz) return before.position;
  return offsetBy(before.position, way, (tick - before.tick) / ticks);
}

function isSamePlace(a: Point, b: Point): boolean {
  return length(offsetBy(a, b, -1)) <= SAME_PLACE_TILES;
}

/** A point moved by a multiple of an offset. */
function offsetBy(point: Point, offset: Point, times: number): Point {
  return {
    x: point.x + offset.x * times,
    y: point.y + offset.y * times,
    z: point.z + offset.z * times,
  };
}

function length({ x, y, z }: Point): number {
  return Math.hypot(x, y, z);
}
