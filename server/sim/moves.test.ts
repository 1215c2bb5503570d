import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { InputSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { MoveRefusal, MoveRequestSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Move, MoveResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createTestZone, drawMap, join, placeIn, steps, vector } from "../../test/support/sim.ts";
import type { Zone } from "./zone.ts";

const ROWS = ["..........", "..@...#...", "......#...", ".........."];

function start(): Zone {
  const { zone } = createTestZone(drawMap(ROWS), { recordedInputs: 1_000 });
  join(zone, "ada");
  steps(zone, 20);
  return zone;
}

type Way = "offset" | "destination" | "direction";

function moveBy(way: Way, x: number, y: number, sequence: number): Move {
  const kind = { case: way, value: vector(x, y) } as Move["kind"];
  return { $typeName: "realmwire.v1.Move", kind, sequence };
}

function apply(zone: Zone, request: Parameters<typeof create<typeof MoveRequestSchema>>[1]) {
  const move = create(MoveRequestSchema, request);
  const outcome = zone.apply(
    create(InputSchema, { kind: { case: "move", value: { name: "ada", move } } }),
  );
  if (outcome.kind.case !== "move") throw new Error(`a move gave ${outcome.kind.case}`);
  return outcome.kind.value;
}

const anyMove = fc
  .tuple(
    fc.constantFrom<Way>("offset", "destination", "direction"),
    fc.integer({ min: -6, max: 12 }),
    fc.integer({ min: -6, max: 12 }),
  )
  .map(([way, x, y]) => (way === "destination" ? { way, x, y } : { way, x: x / 8, y: y / 8 }));

test("several moves at once are the same as one after the other in one tick", () => {
  const batches = fc.array(fc.array(anyMove, { minLength: 1, maxLength: 32 }), { maxLength: 6 });
  fc.assert(
    fc.property(batches, (ticks) => {
      const together = start();
      const apart = start();
      let sequence = 0;
      for (const batch of ticks) {
        const moves = batch.map(({ way, x, y }) => moveBy(way, x, y, ++sequence));
        const answer = apply(together, { moves });
        const answers = moves.map(({ kind, sequence: each }) =>
          apply(apart, { kind, sequence: each }),
        );
        expect(answer.outcomes.map(plain)).toEqual(answers.map(plain));
        const last = answers.at(-1);
        expect({ ...plain(answer), moved: answer.moved, tick: answer.tick }).toEqual({
          ...(last && plain(last)),
          moved: last?.moved,
          tick: last?.tick,
        });
        together.step();
        apart.step();
        expect(together.hash()).toBe(apart.hash());
      }
    }),
    { numRuns: 60 },
  );
});

function plain({
  sequence,
  refusal,
  position,
}: Pick<MoveResponse, "sequence" | "refusal" | "position">) {
  return { sequence, refusal, x: position?.x, y: position?.y };
}

test("a refused move does not keep those behind it from being made", () => {
  const zone = start();
  const from = placeIn(zone, "ada");
  const answer = apply(zone, {
    moves: [
      moveBy("offset", 0.5, 0, 7),
      moveBy("offset", 9, 0, 8),
      moveBy("offset", 0, 0.5, 9),
      moveBy("destination", -3, 0, 10),
    ],
  });
  expect(answer.outcomes.map(({ refusal }) => refusal)).toEqual([
    MoveRefusal.UNSPECIFIED,
    MoveRefusal.TOO_FAR,
    MoveRefusal.UNSPECIFIED,
    MoveRefusal.OUT_OF_MAP,
  ]);
  expect(answer).toMatchObject({ moved: false, refusal: MoveRefusal.OUT_OF_MAP, sequence: 10 });
  expect(placeIn(zone, "ada")).toEqual({ x: from.x + 0.5, y: from.y + 0.5 });
});

test("moves together are no faster than apart", () => {
  const zone = start();
  const steps32 = Array.from({ length: 32 }, (_, index) => moveBy("offset", 0.5, 0, index + 1));
  const { outcomes } = apply(zone, { moves: steps32 });
  expect(outcomes.filter(({ refusal }) => refusal === MoveRefusal.UNSPECIFIED)).toHaveLength(3);
  expect(outcomes[3]?.refusal).toBe(MoveRefusal.TOO_FAST);
});
