import { toBinary } from "@bufbuild/protobuf";
import type { Spawner } from "./spawner.ts";
import { placeOf } from "./world.ts";
import type { Actor, World } from "./world.ts";

/** Ticks in which each entity is hashed once. */
export const HASH_EVERY_TICKS = 50;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** A hash of a zone's state at a tick: in each of the ticks before, some of the entities went into it. */
export interface TakenHash {
  readonly tick: number;
  readonly hash: number;
}

/**
 * Hashes the state of a zone a part at a time, so that no tick is longer than the others: an entity goes into it in
 * the ticks that leave the same remainder by {@link HASH_EVERY_TICKS} as its id. Two zones that go on from the same state in the
 * same way take the same hashes; one that strays takes another one within two hashes at the latest.
 */
export interface RollingHash {
  /** The tick was stepped. */
  step(world: World, spawner: Spawner): void;
  /** The last hash that is whole; undefined: none yet. */
  readonly taken: TakenHash | undefined;
}

/** A hash that nothing went into. */
export function createRollingHash(): RollingHash {
  let hash = FNV_OFFSET;
  let taken: TakenHash | undefined;
  const double = new Float64Array(1);
  const words = new Int32Array(double.buffer);

  /** FNV-1a by 32 bits at a time: each step is reversible, so that two values never fall together in it. */
  function word(value: number): void {
    hash = Math.imul(hash ^ value, FNV_PRIME);
  }
  function number(value: number): void {
    double[0] = value;
    word(words[0] as number);
    // The multiplication carries differences upwards only, and halves of doubles differ high up.
    word((words[1] as number) ^ (hash >>> 16));
  }
  function text(value: string): void {
    word(value.length);
    for (let i = 0; i < value.length; i++) word(value.charCodeAt(i));
  }
  function bytes(value: Uint8Array): void {
    word(value.length);
    for (let i = 0; i < value.length; i++) word(value[i] as number);
  }

  function mixActor(world: World, actor: Actor): void {
    const { table } = world;
    const { slot, walk } = actor;
    const { x, y } = placeOf(world, actor);
    const { id, kind, characterId, allowance, sequence, blockedTicks } = actor;
    const velocity = [table.vxs[slot] as number, table.vys[slot] as number];
    for (const value of [id, kind, characterId, x, y, ...velocity]) number(value);
    for (const value of [allowance, sequence, blockedTicks]) number(value);
    for (const value of [actor.name, actor.spawn, actor.insidePortal, walk.kind]) text(value);
    if (walk.kind === "direction") for (const value of [walk.x, walk.y]) number(value);
    if (walk.kind === "way") for (const to of walk.places) for (const v of [to.x, to.y]) number(v);
    for (const { type, message } of table.cells[slot] ?? []) {
      text(type.schema.typeName);
      bytes(toBinary(type.schema, message));
    }
  }

  function mixRest(world: World, spawner: Spawner): void {
    for (const value of [world.nextEntityId, world.map.revision, ...world.random.state()]) {
      number(value);
    }
    for (const [name, { spawn, tick }] of spawner.pending) {
      text(name);
      text(spawn);
      number(tick);
    }
  }

  return {
    step(world, spawner) {
      const { tick } = world;
      const turn = tick % HASH_EVERY_TICKS;
      const due: Actor[] = [];
      for (const actor of world.actors.values()) {
        if (actor.id % HASH_EVERY_TICKS === turn) due.push(actor);
      }
      for (const actor of due.sort((a, b) => a.id - b.id)) mixActor(world, actor);
      if (turn !== 0) return;
      mixRest(world, spawner);
      taken = { tick, hash: hash >>> 0 };
      hash = FNV_OFFSET;
    },
    get taken() {
      return taken;
    },
  };
}
