import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  MoveRefusal,
  MoveRequestSchema,
  MoveResponseSchema,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createAcknowledgements, MAX_WAITING_MOVES } from "./acknowledgements.ts";
import type { Acknowledgements } from "./acknowledgements.ts";

type Way = "offset" | "destination" | "direction";

function note(
  to: Acknowledgements,
  way: Way,
  sequence: number,
  tick: number,
  refusal: MoveRefusal = MoveRefusal.UNSPECIFIED,
): void {
  const kind = {
    case: way,
    value: { $typeName: "realmwire.v1.Vector" as const, x: 1, y: 0, z: 0 },
  };
  to.note(
    create(MoveRequestSchema, { kind, sequence }),
    create(MoveResponseSchema, { sequence, refusal, tick }),
  );
}

/** A zone in this process shows inputs between ticks, and is not settled then. */
const between = (tick: number) => ({ tick, settled: false });
const whole = (tick: number) => ({ tick, settled: true });

test("a walk is acknowledged with the tick that it begins with", () => {
  const moves = createAcknowledgements();
  expect(moves.seenIn(whole(10))).toBe(0);
  note(moves, "direction", 5, 11);
  expect(moves.seenIn(between(10))).toBe(0);
  expect(moves.seenIn(whole(11))).toBe(5);
  note(moves, "destination", 6, 12);
  expect(moves.seenIn(between(11))).toBe(5);
  expect(moves.seenIn(whole(13))).toBe(6);
});

test("an offset is acknowledged as soon as it is seen, and what was refused too", () => {
  const moves = createAcknowledgements();
  note(moves, "offset", 5, 11);
  // A mirror shows whole ticks only.
  expect(moves.seenIn(whole(10))).toBe(0);
  expect(moves.seenIn(between(10))).toBe(5);
  note(moves, "direction", 6, 11, MoveRefusal.HELD);
  expect(moves.seenIn(between(10))).toBe(6);
});

test("nothing overtakes a walk that is not seen yet", () => {
  const moves = createAcknowledgements();
  note(moves, "direction", 5, 11);
  note(moves, "offset", 6, 11);
  expect(moves.seenIn(between(10))).toBe(0);
  expect(moves.seenIn(whole(11))).toBe(6);
});

test("each of several moves counts, and those without a sequence do not", () => {
  const moves = createAcknowledgements();
  const kinds = ["offset", "direction", "offset"] as const;
  const value = { x: 1 };
  moves.note(
    create(MoveRequestSchema, {
      moves: kinds.map((way, index) => ({ kind: { case: way, value }, sequence: index + 1 })),
    }),
    create(MoveResponseSchema, {
      tick: 11,
      outcomes: [{ sequence: 1 }, { sequence: 2 }, { sequence: 0 }],
    }),
  );
  expect(moves.seenIn(between(10))).toBe(1);
  expect(moves.seenIn(whole(11))).toBe(2);
});

test("in another place all is seen", () => {
  const moves = createAcknowledgements();
  note(moves, "direction", 5, 900);
  moves.settle();
  expect(moves.seenIn(whole(3))).toBe(5);
});

test("while nobody looks only so many are remembered, and none is acknowledged early", () => {
  const moves = createAcknowledgements();
  const count = MAX_WAITING_MOVES + 10;
  for (let sequence = 1; sequence <= count; sequence++)
    note(moves, "direction", sequence, sequence);
  expect(moves.seenIn(whole(10))).toBe(0);
  expect(moves.seenIn(whole(11))).toBe(11);
  expect(moves.seenIn(whole(count))).toBe(count);
});
