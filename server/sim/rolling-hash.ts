import { toBinary } from "@bufbuild/protobuf";
import type { Spawner } from "./spawner.ts";
import { placeOf } from "./world.ts";
import type { Actor, World } from "./world.ts";

/** Ticks in which each entity is hashed once. */
export const HASH_EVERY_TICKS = 50;

const FNV_OFFSET = 0x811c9dc5 | 0;
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
  return new Fnv1a();
}

// A class, as the grid is: every checkpoint makes another one.
class Fnv1a implements RollingHash {
  taken: TakenHash | undefined;
  private hash = FNV_OFFSET;
  private readonly double = new Float64Array(1);
  private readonly halves = new Int32Array(this.double.buffer);

  step(world: World, spawner: Spawner): void {
    const { tick } = world;
    const turn = tick % HASH_EVERY_TICKS;
    const due: Actor[] = [];
    for (const actor of world.actors.values()) {
      if (actor.id % HASH_EVERY_TICKS === turn) due.push(actor);
    }
    for (const actor of due.sort((a, b) => a.id - b.id)) this.actor(world, actor);
    if (turn !== 0) return;
    this.rest(world, spawner);
    this.taken = { tick, hash: this.hash >>> 0 };
    this.hash = FNV_OFFSET;
  }

  private actor(world: World, actor: Actor): void {
    const { table } = world;
    const { slot, walk } = actor;
    const { x, y } = placeOf(world, actor);
    const { id, kind, characterId, allowance, sequence, blockedTicks } = actor;
    const velocity = [table.vxs[slot] as number, table.vys[slot] as number];
    for (const value of [id, kind, characterId, x, y, ...velocity]) this.number(value);
    for (const value of [allowance, sequence, blockedTicks]) this.number(value);
    for (const value of [actor.name, actor.spawn, actor.insidePortal, walk.kind]) this.text(value);
    if (walk.kind === "direction") for (const value of [walk.x, walk.y]) this.number(value);
    if (walk.kind === "way") {
      for (const to of walk.places) for (const value of [to.x, to.y]) this.number(value);
    }
    for (const { type, message } of table.cells[slot] ?? []) {
      this.text(type.schema.typeName);
      this.bytes(toBinary(type.schema, message));
    }
  }

  private rest(world: World, spawner: Spawner): void {
    for (const value of [world.nextEntityId, world.map.revision, ...world.random.state()]) {
      this.number(value);
    }
    for (const [name, { spawn, tick }] of spawner.pending) {
      this.text(name);
      this.text(spawn);
      this.number(tick);
    }
  }

  /** FNV-1a by 32 bits at a time: each step is reversible, so that two values never fall together in it. */
  private word(value: number): void {
    this.hash = Math.imul(this.hash ^ value, FNV_PRIME);
  }

  private number(value: number): void {
    this.double[0] = value;
    this.word(this.halves[0] as number);
    // The multiplication carries differences upwards only, and halves of doubles differ high up.
    this.word((this.halves[1] as number) ^ (this.hash >>> 16));
  }

  private text(value: string): void {
    this.word(value.length);
    for (let i = 0; i < value.length; i++) this.word(value.charCodeAt(i));
  }

  private bytes(value: Uint8Array): void {
    this.word(value.length);
    for (let i = 0; i < value.length; i++) this.word(value[i] as number);
  }
}
