import type { WorldEntity } from "./entity.ts";
import type { ServerClock } from "./server-clock.ts";
import type { Point } from "./value.ts";
import type { WorldView } from "./world-view.ts";

/** How far in the past the world is shown unless the caller says otherwise, in ticks: room for one late message. */
const DELAY_TICKS = 2;
/** How long an entity is carried on by its velocity when news of it is late, in milliseconds. */
const MAX_EXTRAPOLATION_MS = 250;
/** A way between two snapshots that is longer than what the velocity explains, by this many tiles, is a leap. */
const SNAP_DISTANCE = 3;
/** Snapshots kept of each entity: at 20 ticks a second more than a second and a half. */
const HISTORY_LIMIT = 32;

/** Smooth positions for drawing, made of the snapshots that a view receives. */
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
  /** How far in the past the world is shown, in milliseconds. Default: two ticks. */
  readonly delayMs?: number;
  /** How long an entity is carried on by its velocity when news of it is late, in milliseconds. Default: 250. */
  readonly maxExtrapolationMs?: number;
  /** A way between two snapshots that is this many tiles longer than the velocity explains is not walked but leapt. Default: 3. */
  readonly snapDistance?: number;
}

interface Snapshot {
  readonly tick: number;
  readonly position: Point;
  readonly velocity: Point;
}

/** Creates an interpolator, which listens to the view until it is closed. */
export function createInterpolator(options: InterpolatorOptions): Interpolator {
  const { view, clock } = options;
  const { maxExtrapolationMs = MAX_EXTRAPOLATION_MS, snapDistance = SNAP_DISTANCE } = options;
  const histories = new Map<number, Snapshot[]>();
  const begin = (entity: WorldEntity): void =>
    void histories.set(entity.id, [snapshotOf(entity, view.tick)]);
  for (const entity of view.entities.values()) begin(entity);
  const subscriptions = [
    view.onAdd(begin),
    view.onRemove(({ id }) => void histories.delete(id)),
    view.onChange((entity, changes) => {
      const history = histories.get(entity.id);
      if (history && (changes.position || changes.velocity)) {
        addSnapshot(history, snapshotOf(entity, view.tick));
      }
    }),
  ];

  const position = (id: number): Point | undefined => {
    const history = histories.get(id);
    const newest = history?.at(-1);
    const tickNow = clock.tickNow();
    const tickMs = clock.tickMs();
    if (!history || !newest || tickNow === undefined || tickMs === undefined)
      return newest?.position;
    // Velocities are in the zone's own time, which a slow world stretches along with its ticks.
    const tickS = 1 / (view.scene?.tickRateHz || 1);
    const tick = tickNow - (options.delayMs === undefined ? DELAY_TICKS : options.delayMs / tickMs);
    const next = history.findIndex((snapshot) => snapshot.tick > tick);
    if (next < 0) {
      const aheadS = Math.min((tick - newest.tick) * tickS, maxExtrapolationMs / 1000);
      return alongVelocity(newest, aheadS);
    }
    const [before, after] = [history[next - 1], history[next]];
    if (!before || !after) return history[0]?.position;
    return between(before, after, tick, { tickS, snapDistance });
  };

  return {
    position,
    close() {
      for (const unsubscribe of subscriptions) unsubscribe();
      histories.clear();
    },
  };
}

function snapshotOf(entity: WorldEntity, tick: number): Snapshot {
  return { tick, position: entity.position, velocity: entity.velocity };
}

function addSnapshot(history: Snapshot[], snapshot: Snapshot): void {
  const last = history.at(-1);
  if (last?.tick === snapshot.tick) history.pop();
  // Nothing is sent of what stands still. So it stood until a tick ago, and has not crept here since.
  else if (last && isStill(last) && snapshot.tick - last.tick > 1) {
    history.push({ ...last, tick: snapshot.tick - 1 });
  }
  history.push(snapshot);
  while (history.length > HISTORY_LIMIT) history.shift();
}

function isStill({ velocity }: Snapshot): boolean {
  return velocity.x === 0 && velocity.y === 0 && velocity.z === 0;
}

function alongVelocity({ position, velocity }: Snapshot, seconds: number): Point {
  return {
    x: position.x + velocity.x * seconds,
    y: position.y + velocity.y * seconds,
    z: position.z + velocity.z * seconds,
  };
}

function between(
  a: Snapshot,
  b: Snapshot,
  tick: number,
  limits: { tickS: number; snapDistance: number },
): Point {
  const ticks = b.tick - a.tick;
  const speed = Math.max(length(a.velocity), length(b.velocity));
  const way = {
    x: b.position.x - a.position.x,
    y: b.position.y - a.position.y,
    z: b.position.z - a.position.z,
  };
  if (length(way) > limits.snapDistance + speed * ticks * limits.tickS) return a.position;
  const part = (tick - a.tick) / ticks;
  return {
    x: a.position.x + way.x * part,
    y: a.position.y + way.y * part,
    z: a.position.z + way.z * part,
  };
}

function length({ x, y, z }: Point): number {
  return Math.hypot(x, y, z);
}
