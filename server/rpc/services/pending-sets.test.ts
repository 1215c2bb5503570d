import fc from "fast-check";
import { expect, test } from "vitest";
import type { Value } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import type { SetRequest } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { valueOf } from "../../../test/support/values.ts";
import { createPendingSets } from "./pending-sets.ts";
import type { PendingSet } from "./pending-sets.ts";

type Change = SetRequest["change"];

const add = (amount: bigint): Change => ({ case: "add", value: valueOf(amount) });
const put = (value: bigint): Change => ({ case: "value", value: valueOf(value) });
const numberOf = ({ kind }: Value) => kind.value as bigint;

/** An attribute that holds a whole number. */
function attribute(first: bigint) {
  let value = valueOf(first);
  return {
    get value() {
      return value;
    },
    carryOut(change: Change | undefined): Value {
      if (change?.case === "add") value = valueOf(numberOf(value) + numberOf(change.value));
      else if (change?.value) value = change.value;
      return value;
    },
  };
}

function setUp(first: bigint) {
  const pending = createPendingSets();
  const field = attribute(first);
  return {
    pending,
    field,
    apply(change: Change): PendingSet {
      const before = field.value;
      return pending.add("key", change, before, field.carryOut(change));
    },
    fail: (set: PendingSet) => field.carryOut(set.failed(field.value)),
  };
}

test("of two values at once that cannot be stored, neither stays, in whatever order they fail", () => {
  for (const first of [0, 1]) {
    const { field, apply, fail, pending } = setUp(1n);
    const sets = [apply(put(2n)), apply(put(3n))];
    fail(sets[first] as PendingSet);
    fail(sets[1 - first] as PendingSet);
    expect(field.value).toEqual(valueOf(1n));
    expect(pending.size).toBe(0);
  }
});

test("an addition below a value is taken back without touching the value", () => {
  const { field, apply, fail } = setUp(1n);
  const [addition, value] = [apply(add(10n)), apply(put(100n))];
  fail(addition);
  expect(field.value).toEqual(valueOf(100n));
  fail(value);
  expect(field.value).toEqual(valueOf(1n));
});

test("what the game itself did meanwhile stays", () => {
  const { field, apply, fail } = setUp(1n);
  const addition = apply(add(10n));
  field.carryOut(add(500n));
  fail(addition);
  expect(field.value).toEqual(valueOf(501n));
  const value = apply(put(7n));
  field.carryOut(put(8n));
  fail(value);
  expect(field.value).toEqual(valueOf(8n));
});

test("a change that was stored with a later one is not taken back", () => {
  const { field, apply, fail } = setUp(1n);
  const [first, second] = [apply(add(1n)), apply(add(2n))];
  second.committed();
  fail(first);
  expect(field.value).toEqual(valueOf(4n));
});

const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("add" as const), by: fc.bigInt(-5n, 5n) }),
    fc.record({ do: fc.constant("put" as const), by: fc.bigInt(-99n, 99n) }),
    fc.record({ do: fc.constantFrom("commit" as const, "fail" as const), which: fc.nat(9) }),
  ),
  { maxLength: 40 },
);

test("[property] the value is what the changes make of it that did not fail", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const { field, apply, fail, pending } = setUp(0n);
      /** Changes in their order, each with its fate. */
      let changes: { change: Change; set: PendingSet; stored: boolean; failed: boolean }[] = [];
      const open = () => changes.filter(({ stored, failed }) => !stored && !failed);
      for (const step of all) {
        if (step.do === "add" || step.do === "put") {
          const change = step.do === "add" ? add(step.by) : put(step.by);
          changes.push({ change, set: apply(change), stored: false, failed: false });
          continue;
        }
        const chosen = open()[step.which % Math.max(1, open().length)];
        if (!chosen) continue;
        if (step.do === "commit") {
          // A row is stored as it is: with everything before it that is still there.
          for (const other of changes.slice(0, changes.indexOf(chosen) + 1))
            other.stored ||= !other.failed;
          chosen.set.committed();
        } else {
          chosen.failed = true;
          fail(chosen.set);
          changes = changes.filter((other) => other !== chosen);
        }
        const expected = attribute(0n);
        for (const { change } of changes) expected.carryOut(change);
        expect(field.value).toEqual(expected.value);
      }
      expect(pending.size).toBe(open().length > 0 ? 1 : 0);
    }),
    { numRuns: 1_000 },
  );
});
