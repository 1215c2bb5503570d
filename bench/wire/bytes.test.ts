import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  MoveRequestSchema,
  MoveResponseSchema,
  UpdateResponseSchema,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createPlainWorld } from "../world/plain-world.ts";
import { isMoved, readMove, writeMove, writeMoveAnswer } from "./move-bytes.ts";
import { writeUpdate } from "./update-bytes.ts";

test("a Move written by hand is the Move of the generated code, and is read back", () => {
  for (const [x, y, sequence] of [
    [0.25, -1, 1],
    [0, 0.5, 300],
    [0, 0, 70_000],
  ] as const) {
    const bytes = writeMove({ x, y }, sequence);
    const { kind, sequence: read } = fromBinary(MoveRequestSchema, bytes);
    expect(kind).toMatchObject({ case: "direction", value: { x, y } });
    expect(read).toBe(sequence);
    expect(readMove(Buffer.from(bytes))).toEqual({ dx: x, dy: y, sequence });
  }
});

test("answers say whether the Move was made", () => {
  const bytes = writeMoveAnswer({ x: 1.5, y: 2 }, 7);
  expect(fromBinary(MoveResponseSchema, bytes)).toMatchObject({
    moved: true,
    position: { x: 1.5, y: 2 },
    sequence: 7,
  });
  expect(isMoved(bytes)).toBe(true);
  const refused = create(MoveResponseSchema, { refusal: 1, sequence: 7 });
  expect(isMoved(toBinary(MoveResponseSchema, refused))).toBe(false);
});

test("an update written by hand is an update of the generated code", () => {
  const world = createPlainWorld([
    { x: 20, y: 20 },
    { x: 25.5, y: 20 },
  ]);
  world.join(0);
  world.join(1);
  world.step();
  const first = fromBinary(UpdateResponseSchema, writeUpdate(world, 0, world.look(0), true));
  expect(first.scene?.selfId).toBe(1);
  expect(first.entities.map(({ name }) => name).sort()).toEqual(["p0", "p1"]);
  world.move(1, 0, 1);
  world.step();
  const next = fromBinary(UpdateResponseSchema, writeUpdate(world, 0, world.look(0), false));
  expect(next.scene).toBeUndefined();
  expect(next.turned).toMatchObject({ ids: [2], xs: [0], ys: [1024] });
});
