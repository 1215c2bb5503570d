import { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { WireWriter } from "../../server/sim/wire-writer.ts";
import type { PlainWorld, Sight } from "../world/plain-world.ts";
import { UNITS_PER_TILE, playerName } from "../world/rules.ts";

// `realmwire.v1.UpdateResponse` written by hand from the arrays, as the server itself does it.

const UPDATE = { tick: 1, scene: 4, entities: 5, turned: 7, left: 9 } as const;
const SCENE = { zone: 1, selfId: 4 } as const;
const ENTITY = { id: 1, name: 2, kind: 3, visual: 4, position: 5, velocity: 6 } as const;
const MOTION = { ids: 1, xs: 4, ys: 5 } as const;
const VECTOR = { x: 1, y: 2 } as const;

const writer = new WireWriter();
const scratch = new WireWriter();

/** The id of a player's entity: ids begin with 1, since 0 stands for none. */
export function entityId(player: number): number {
  return player + 1;
}

/** A serialized update for a viewer; the first one of a stream begins with a scene. */
export function writeUpdate(
  world: PlainWorld,
  viewer: number,
  sight: Sight,
  isFirst: boolean,
): Uint8Array<ArrayBuffer> {
  writer.reset();
  writer.uint32(UPDATE.tick, world.tick);
  if (isFirst) writer.bytes(UPDATE.scene, scene(viewer));
  for (const player of sight.entered) writeEntity(world, player);
  writeTurned(sight.turned, world.vxs, world.vys);
  if (sight.left.length > 0) {
    const mark = writer.begin(UPDATE.left);
    for (const player of sight.left) writer.item(entityId(player));
    writer.end(mark);
  }
  return writer.finish();
}

/** Whether there is anything to tell. */
export function saysSomething({ entered, turned, left }: Sight): boolean {
  return entered.length + turned.length + left.length > 0;
}

function scene(viewer: number): Uint8Array {
  scratch.reset();
  scratch.text(SCENE.zone, "plain");
  scratch.uint32(SCENE.selfId, entityId(viewer));
  return scratch.finish();
}

function writeEntity(world: PlainWorld, player: number): void {
  const mark = writer.begin(UPDATE.entities);
  writer.uint32(ENTITY.id, entityId(player));
  writer.text(ENTITY.name, playerName(player));
  writer.uint32(ENTITY.kind, EntityKind.CHARACTER);
  writer.text(ENTITY.visual, "player");
  writeVector(ENTITY.position, world.xs[player] as number, world.ys[player] as number);
  writeVector(ENTITY.velocity, world.vxs[player] as number, world.vys[player] as number);
  writer.end(mark);
}

function writeVector(field: number, x: number, y: number): void {
  if (x === 0 && y === 0) return;
  const mark = writer.begin(field);
  writer.double(VECTOR.x, x / UNITS_PER_TILE);
  writer.double(VECTOR.y, y / UNITS_PER_TILE);
  writer.end(mark);
}

function writeTurned(players: readonly number[], vxs: Int32Array, vys: Int32Array): void {
  if (players.length === 0) return;
  const mark = writer.begin(UPDATE.turned);
  const ids = writer.begin(MOTION.ids);
  for (const player of players) writer.item(entityId(player));
  writer.end(ids);
  for (const [column, values] of [
    [MOTION.xs, vxs],
    [MOTION.ys, vys],
  ] as const) {
    const items = writer.begin(column);
    for (const player of players) writer.signedItem(values[player] as number);
    writer.end(items);
  }
  writer.end(mark);
}
