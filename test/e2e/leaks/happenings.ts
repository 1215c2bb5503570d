import { ScalarType } from "@bufbuild/protobuf";
import fc from "fast-check";
import type { Value } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import type { AttributeRow } from "../../../scripts/access-matrix.ts";
import { readFailure } from "../../support/player.ts";
import { CHEST, RESTLESS_CHEST } from "../../support/probe-game.ts";
import { valueOf } from "../../support/values.ts";
import { anyCalls, lastingCalls, rules } from "./readers.ts";
import { CHESTS, READERS } from "./world.ts";
import type { LeakWorld } from "./world.ts";

const who = fc.nat(READERS.length - 1);
/** A character, or behind those a chest. */
const target = fc.nat(READERS.length + CHESTS - 1);
const slot = fc.nat(CHESTS - 1);
const step = fc.double({ min: -1, max: 1, noNaN: true });
const row = fc.nat(rules.rows.length - 1);
const seed = fc.nat(9);
const only = <const T extends string>(what: T) => fc.constant(what);

/** Something that happens in a world that is looked at, mostly calls. */
export const happenings = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: only("move"), who, x: step, y: step }) },
  { weight: 5, arbitrary: fc.record({ do: only("set"), who, target, row, seed }) },
  { weight: 2, arbitrary: fc.record({ do: only("put"), slot, target, row, seed }) },
  { weight: 2, arbitrary: fc.record({ do: only("give"), target, who }) },
  { weight: 2, arbitrary: fc.record({ do: only("get"), who, target, row }) },
  {
    weight: 5,
    arbitrary: fc.record({
      ...{ do: only("call"), who, target: fc.option(target) },
      call: fc.nat(lastingCalls.length - 1),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: only("watch"), who, resumed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: only("unwatch"), who }) },
  { weight: 3, arbitrary: fc.record({ do: only("wait"), ms: fc.integer({ min: 50, max: 250 }) }) },
);

type Happening = typeof happenings extends fc.Arbitrary<infer T> ? T : never;

/** Lets something happen. What the server refuses is refused; what it did not mean is thrown. */
export async function happen(world: LeakWorld, event: Happening): Promise<void> {
  await meant(attempt(world, event));
}

/** Every reader makes every call: with nothing in it, and with the names of the first reader and the first chest. */
export async function callAll(world: LeakWorld): Promise<void> {
  for (const reader of world.readers) {
    for (const method of anyCalls) {
      await meant(reader.call(method, undefined));
      for (const i of [0, READERS.length]) await meant(reader.call(method, world.nameOf(i)));
    }
  }
}

async function meant(call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (readFailure(error).detail === undefined) throw error;
  }
}

async function attempt(world: LeakWorld, event: Happening): Promise<void> {
  switch (event.do) {
    case "move": {
      const { x, y } = event;
      const value = { x, y, z: 0 };
      await world.reader(event.who).world.move({ kind: { case: "direction", value } });
      return;
    }
    case "set": {
      const { name, field } = rowAt(event.row);
      const value = valueFor(field, event.seed);
      await world.set(world.reader(event.who), world.nameOf(event.target), name, value);
      return;
    }
    case "put": {
      // Things are put with an attribute that differs from those of their kind.
      const { name, field } = rowAt(event.row);
      const attributes = name === "body.owner" ? {} : { [name]: valueFor(field, event.seed) };
      const owner = event.target < READERS.length ? world.nameOf(event.target) : "";
      await world.put(event.slot, event.seed % 2 ? CHEST : RESTLESS_CHEST, owner, attributes);
      return;
    }
    case "give": {
      const { name } = world.reader(event.who);
      await world.set(world.builder, world.nameOf(event.target), "body.owner", valueOf(name));
      return;
    }
    case "get": {
      const { name } = rowAt(event.row);
      const target = world.nameOf(event.target);
      await world.reader(event.who).world.get({ name: target });
      await world.reader(event.who).world.get({ name: target, attributes: [name] });
      return;
    }
    case "call": {
      const method = lastingCalls[event.call];
      const name = event.target === null ? undefined : world.nameOf(event.target);
      if (method) await world.reader(event.who).call(method, name);
      return;
    }
    case "watch":
      await world.reader(event.who).watch(event.resumed);
      return;
    case "unwatch":
      await world.reader(event.who).unwatch();
      return;
    case "wait":
      await new Promise((resolve) => {
        setTimeout(resolve, event.ms);
      });
  }
}

function rowAt(index: number): AttributeRow {
  const row = rules.rows[index];
  if (row === undefined) throw new RangeError(`there is no attribute ${index}`);
  return row;
}

/** A value that may suit a field; where it does not, it is refused. */
export function valueFor(field: AttributeRow["field"], seed: number): Value {
  const kind = field.scalar;
  if (field.fieldKind === "list") {
    const list = {
      $typeName: "realmwire.v1.ListValue" as const,
      values: [valueOf(`some ${seed}`)],
    };
    return { $typeName: "realmwire.v1.Value", kind: { case: "listValue", value: list } };
  }
  if (kind === ScalarType.STRING) return valueOf(`text ${seed}`);
  if (kind === ScalarType.BOOL) return valueOf(seed % 2 === 0);
  if (kind === ScalarType.DOUBLE || kind === ScalarType.FLOAT) return valueOf(seed / 4);
  return valueOf(BigInt(seed));
}
