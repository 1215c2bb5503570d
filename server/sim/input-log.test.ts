import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { InputSchema, RecordedInputSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { Input } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { MoveRequestSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { input, vector } from "../../test/support/sim.ts";
import { createInputLog } from "./input-log.ts";

function moveOf(
  name: string,
  way: "offset" | "destination" | "direction",
  [x, y, z]: readonly [number, number, number],
  sequence: number,
) {
  const move = create(MoveRequestSchema, { kind: { case: way, value: vector(x, y, z) }, sequence });
  return input({ case: "move", value: { name, move } });
}

function recorded(tick: number, item: Input) {
  return create(RecordedInputSchema, { tick, input: item });
}

test("gives back what it was given, with the ticks and in the order", () => {
  const log = createInputLog();
  const inputs = [
    moveOf("ada", "direction", [1, -0.5, 0], 7),
    moveOf("Łucja", "destination", [0.1, 1e300, 3], 0),
    moveOf("bob", "offset", [0, 0, 0], 4_294_967_295),
    moveOf("bob", "offset", [Number.NaN, Number.NEGATIVE_INFINITY, -0], 1),
    input({ case: "move", value: { name: "bob", move: create(MoveRequestSchema, {}) } }),
    input({ case: "say", value: { name: "ada", text: "hello", shout: true } }),
    create(InputSchema, {}),
  ];
  inputs.forEach((item, tick) => log.add(tick * 3, item));
  expect(log.count).toBe(inputs.length);
  expect(log.read()).toEqual(inputs.map((item, i) => recorded(i * 3, item)));
});

test("holds more than it began with, and a Move in few bytes", () => {
  const log = createInputLog();
  const move = moveOf("ada", "direction", [0.6, 0.8, 0], 300);
  for (let i = 0; i < 5_000; i++) expect(log.add(i, move)).toBeLessThan(48);
  const read = log.read();
  expect(read).toHaveLength(5_000);
  expect(read.at(-1)).toEqual(recorded(4_999, move));
});
