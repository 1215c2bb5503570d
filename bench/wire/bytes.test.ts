import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  InputRequestSchema,
  MoveRequestSchema,
  MoveResponseSchema,
  UpdateResponseSchema,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createPlainWorld } from "../world/plain-world.ts";
import { readAcknowledged } from "./acknowledged.ts";
import { isMoved, readMove, writeInput, writeMove, writeMoveAnswer } from "./move-bytes.ts";
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

test("a message of Input written by hand is that of the generated code", () => {
  const { moves } = fromBinary(InputRequestSchema, writeInput({ x: 0.25, y: -1 }, 300));
  expect(moves).toMatchObject([
    { kind: { case: "direction", value: { x: 0.25, y: -1 } }, sequence: 300 },
  ]);
});

test("what an update acknowledges and refuses is found among its other fields", () => {
  const read = (update: Parameters<typeof create<typeof UpdateResponseSchema>>[1]) =>
    readAcknowledged(
      Buffer.from(toBinary(UpdateResponseSchema, create(UpdateResponseSchema, update))),
    );
  const moved = { ids: [1, 2], xs: [3, -4], ys: [5, 6] };
  const full = { tick: 70_000, cursor: "a.b.c", entities: [{ id: 1, name: "ada" }], moved };
  expect(read(full)).toEqual({ sequence: 0, hasRefused: false });
  expect(read({ ...full, acknowledged: 3_000_000_000 })).toEqual({
    sequence: 3_000_000_000,
    hasRefused: false,
  });
  expect(read({ ...full, acknowledged: 7, refused: [{ sequence: 7, refusal: 1 }] })).toEqual({
    sequence: 7,
    hasRefused: true,
  });
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
