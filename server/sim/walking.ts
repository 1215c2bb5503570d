import {
  EPSILON_TILES,
  MAX_DESTINATION_TILES,
  MAX_OFFSET_TILES,
  clampDirection,
  distance,
  passesFree,
  refillAllowance,
  slide,
} from "./movement.ts";
import type { Place } from "./movement.ts";
import { findDetour } from "./detour.ts";
import { findPath } from "./pathfinding.ts";
import { MoveRefusal } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { MoveRequest } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { toUnits, UNITS_PER_TILE } from "./entity-table.ts";
import { isOccupied, mayStand, placeActor, placeOf } from "./world.ts";
import type { Actor, World } from "./world.ts";

/** Ticks that a walker on its way waits before somebody who stands there, then it gives up. */
const PATIENCE_TICKS = 40;
/** Ticks after which a walker who waits looks for a way around those who stand there, and after as many again. */
const DETOUR_TICKS = 2;
/** Ways around that are looked for in one tick, a millisecond each at worst; the other walkers have their turn in the next ones. */
const MAX_DETOURS_PER_TICK = 8;

/** A place of a way is reached at this distance: rounding errors, since whoever is off by more may not fit into a gap. */
const ARRIVED_TILES = 1e-10;

/** Carries out a Move. UNSPECIFIED comes back when it was made or begun. */
export function moveActor(world: World, actor: Actor, move: MoveRequest["kind"]): MoveRefusal {
  if (move.case === undefined) return MoveRefusal.NOT_A_PLACE;
  const { x, y, z } = move.value;
  if (![x, y, z].every(Number.isFinite)) return MoveRefusal.NOT_A_PLACE;
  if (z !== 0) return MoveRefusal.NO_GROUND;
  switch (move.case) {
    case "offset":
      return stepBy(world, actor, x, y);
    case "destination":
      return walkTo(world, actor, { x, y });
    case "direction":
      return walkTowards(world, actor, x, y);
  }
}

/** Steps by an offset at once, as far as the saved-up allowance goes. Ends a walk. */
function stepBy(world: World, actor: Actor, dx: number, dy: number): MoveRefusal {
  const length = Math.sqrt(dx * dx + dy * dy);
  if (length > MAX_OFFSET_TILES + EPSILON_TILES) return MoveRefusal.TOO_FAR;
  if (length > actor.allowance + EPSILON_TILES) return MoveRefusal.TOO_FAST;
  const from = placeOf(world, actor);
  const to = { x: from.x + dx, y: from.y + dy };
  if (to.x < 0 || to.y < 0 || to.x >= world.map.width || to.y >= world.map.height) {
    return MoveRefusal.OUT_OF_MAP;
  }
  if (!passesFree(world.map, from, to, actor.radius)) return MoveRefusal.BARRIER;
  if (actor.physical && passesSomebody(world, actor, from, to)) return MoveRefusal.OCCUPIED;
  actor.walk = { kind: "still" };
  world.table.turn(actor.slot, 0, 0);
  // It may fall below 0 by the slack of the comparison: what a step got for nothing, the next one pays.
  actor.allowance -= length;
  placeActor(world, actor, to.x, to.y);
  return MoveRefusal.UNSPECIFIED;
}

/** Whether a straight step would go through somebody solid; who overlaps already may step away. */
function passesSomebody(world: World, actor: Actor, from: Place, to: Place): boolean {
  const steps = Math.max(
    1,
    Math.ceil(Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y)) * 5),
  );
  for (let i = 1; i <= steps; i++) {
    const x = from.x + ((to.x - from.x) * i) / steps;
    const y = from.y + ((to.y - from.y) * i) / steps;
    if (isOccupied(world, actor, x, y, actor.radius)) return true;
  }
  return false;
}

/** Begins to walk to a place; whoever is on the way there goes on, and around whom they were going around. */
export function walkTo(world: World, actor: Actor, to: Place): MoveRefusal {
  const { map } = world;
  if (to.x < 0 || to.y < 0 || to.x >= map.width || to.y >= map.height)
    return MoveRefusal.OUT_OF_MAP;
  const end = actor.walk.kind === "way" ? actor.walk.places.at(-1) : undefined;
  if (end?.x === to.x && end.y === to.y) return MoveRefusal.UNSPECIFIED;
  const from = placeOf(world, actor);
  if (distance(from, to) > MAX_DESTINATION_TILES) return MoveRefusal.TOO_FAR;
  const places = findPath(map, from, to, actor.radius);
  if (places === undefined) {
    return map.blocked(Math.floor(to.x), Math.floor(to.y))
      ? MoveRefusal.BARRIER
      : MoveRefusal.NO_PATH;
  }
  actor.walk = { kind: "way", places };
  actor.blockedTicks = 0;
  return MoveRefusal.UNSPECIFIED;
}

function walkTowards(world: World, actor: Actor, dx: number, dy: number): MoveRefusal {
  if (dx === 0 && dy === 0) {
    stopWalking(world, actor);
    return MoveRefusal.UNSPECIFIED;
  }
  actor.walk = { kind: "direction", ...clampDirection(dx, dy) };
  return MoveRefusal.UNSPECIFIED;
}

/** Ends a walk. */
export function stopWalking(world: World, actor: Actor): void {
  actor.walk = { kind: "still" };
  world.table.turn(actor.slot, 0, 0);
}

/** Moves everybody who walks by one tick, and lets everybody's allowance for offsets grow. */
export function stepWalkers(world: World): void {
  const seconds = 1 / world.tickRateHz;
  const budget = { detours: MAX_DETOURS_PER_TICK };
  for (const actor of world.bySlot) {
    if (!actor) continue;
    actor.allowance = refillAllowance(actor.allowance, actor.speed, seconds);
    if (actor.walk.kind === "direction") {
      const { x, y } = actor.walk;
      // In whole units of the wire: who reckons by what the stream says is right for as long as the walk lasts.
      const [vx, vy] = [inUnits(x * actor.speed), inUnits(y * actor.speed)];
      advance(world, actor, vx * seconds, vy * seconds);
    } else if (actor.walk.kind === "way") {
      followWay(world, actor, actor.walk.places, actor.speed * seconds, budget);
    }
  }
}

/** A velocity in tiles a second, rounded to a whole unit of the wire. */
function inUnits(velocity: number): number {
  return toUnits(velocity) / UNITS_PER_TILE;
}

/** Goes by (dx, dy), sliding along what is in the way. Walking uses the allowance up, so that offsets do not add to it. */
function advance(world: World, actor: Actor, dx: number, dy: number): void {
  const from = placeOf(world, actor);
  const to = slide(from, dx, dy, (x, y) =>
    mayStand(world, actor, x, y, actor.radius, actor.physical),
  );
  // Rounded as on the wire, or the last bits of a steady walk would count as changes.
  const perSecond = (d: number) => inUnits(d * world.tickRateHz);
  world.table.turn(actor.slot, perSecond(to.x - from.x), perSecond(to.y - from.y));
  if (to.x === from.x && to.y === from.y) return;
  actor.allowance = 0;
  placeActor(world, actor, to.x, to.y);
}

/** Goes towards the next place of a way; gives up when it came no nearer for a while. */
function followWay(
  world: World,
  actor: Actor,
  places: readonly Place[],
  reach: number,
  budget: { detours: number },
): void {
  const [target, ...rest] = places;
  if (!target) {
    stopWalking(world, actor);
    return;
  }
  const from = placeOf(world, actor);
  const before = distance(from, target);
  const part = before <= reach ? 1 : reach / before;
  advance(world, actor, (target.x - from.x) * part, (target.y - from.y) * part);
  const after = distance(placeOf(world, actor), target);
  if (after < ARRIVED_TILES) {
    actor.walk = { kind: "way", places: rest };
    actor.blockedTicks = 0;
    if (rest.length === 0) stopWalking(world, actor);
  } else if (before - after > reach / 4) {
    actor.blockedTicks = 0;
  } else if (actor.blockedTicks >= PATIENCE_TICKS) {
    stopWalking(world, actor);
  } else if ((actor.blockedTicks + 1) % DETOUR_TICKS !== 0) {
    actor.blockedTicks++;
  } else if (budget.detours > 0) {
    actor.blockedTicks++;
    budget.detours--;
    walkAround(world, actor, places);
  }
}

/** Takes a way around those who stand near, if there is one. */
function walkAround(world: World, actor: Actor, places: readonly Place[]): void {
  const isFree = (x: number, y: number) =>
    mayStand(world, actor, x, y, actor.radius, actor.physical);
  // Where somebody stands on a corner of the way, it goes on to the next one.
  const index = places.findIndex(({ x, y }) => isFree(x, y));
  const target = places[index];
  if (!target) return;
  const detour = findDetour(placeOf(world, actor), target, isFree);
  const end = detour?.at(-1);
  if (!detour || !end) return;
  const rest = end === target ? places.slice(index + 1) : restOfWay(world, actor, end, places);
  if (rest) actor.walk = { kind: "way", places: [...detour, ...rest] };
}

/** From where a detour left the neighbourhood to the end of the way. */
function restOfWay(
  world: World,
  actor: Actor,
  from: Place,
  places: readonly Place[],
): readonly Place[] | undefined {
  const end = places.at(-1);
  return end && findPath(world.map, from, end, actor.radius);
}
