import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { MoveRefusal, WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { MoveRequest } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createMover } from "./move.ts";
import { createManualClock } from "./testing/manual-clock.ts";

test("each way of moving is one call, counted by the mover", async () => {
  const requests: MoveRequest[] = [];
  const transport = createRouterTransport(({ service }) =>
    service(WorldService, {
      move(request) {
        requests.push(request);
        return request.kind.case === "destination"
          ? { moved: false, refusal: MoveRefusal.NO_PATH, sequence: request.sequence }
          : { moved: true, position: { x: 3, y: 4 }, sequence: request.sequence };
      },
    }),
  );
  const move = createMover({
    world: createClient(WorldService, transport),
    clock: createManualClock(),
  });
  expect(await move.by({ x: 1, y: 0 })).toMatchObject({
    moved: true,
    position: { x: 3, y: 4 },
    sequence: 1,
  });
  const refused = await move.to({ x: 9, y: 9, z: 1 });
  expect(refused).toMatchObject({ moved: false, refusal: MoveRefusal.NO_PATH });
  expect(refused.position).toMatchObject({ x: 0, y: 0, z: 0 });
  await move.direction({ x: 0, y: -1 });
  await move.stop();
  expect(
    requests.map(({ kind, sequence }) => [kind.case, kind.value?.x, kind.value?.y, sequence]),
  ).toEqual([
    ["offset", 1, 0, 1],
    ["destination", 9, 9, 2],
    ["direction", 0, -1, 3],
    ["direction", 0, 0, 4],
  ]);
});

/** A server that answers moves only when it is told to, and a mover before it. */
function createHeldPeer() {
  const requests: MoveRequest[] = [];
  const answers: ((fail?: Error) => void)[] = [];
  const clock = createManualClock();
  const transport = createRouterTransport(({ service }) =>
    service(WorldService, {
      async move(request) {
        requests.push(request);
        await new Promise<void>((resolve, reject) => {
          answers.push((fail) => (fail ? reject(fail) : resolve()));
        });
        const outcomes = request.moves.map(({ sequence, kind }) => ({
          sequence,
          position: { x: sequence },
          refusal: kind.value?.x === 9 ? MoveRefusal.TOO_FAR : MoveRefusal.UNSPECIFIED,
        }));
        return { moved: true, sequence: request.sequence, tick: 5, outcomes };
      },
    }),
  );
  const move = createMover({ world: createClient(WorldService, transport), clock });
  const answer = async (fail?: Error) => {
    await vi.waitFor(() => expect(answers).not.toEqual([]), { interval: 1 });
    answers.shift()?.(fail);
  };
  return { requests, move, clock, answer };
}

test("what is asked for in one go is one call, and each learns what came of it", async () => {
  const { requests, move, answer } = createHeldPeer();
  const results = Promise.all([
    move.by({ x: 1, y: 0 }),
    move.by({ x: 9, y: 0 }),
    move.direction({ x: 0, y: 1 }),
  ]);
  await answer();
  expect(await results).toMatchObject([
    { moved: true, sequence: 1, position: { x: 1 }, tick: 5 },
    { moved: false, refusal: MoveRefusal.TOO_FAR, sequence: 2, position: { x: 2 } },
    { moved: true, sequence: 3 },
  ]);
  expect(requests).toHaveLength(1);
  expect(requests[0]?.kind.case).toBeUndefined();
  expect(requests[0]?.moves.map(({ kind }) => kind.case)).toEqual([
    "offset",
    "offset",
    "direction",
  ]);
});

test("what comes up during a call waits for the next, 32 at most together", async () => {
  const { requests, move, answer } = createHeldPeer();
  const first = move.by({ x: 1, y: 0 });
  await vi.waitFor(() => expect(requests).toHaveLength(1), { interval: 1 });
  const rest = Promise.all(Array.from({ length: 40 }, () => move.by({ x: 1, y: 0 })));
  await answer();
  await first;
  await answer();
  await answer();
  expect((await rest).map(({ sequence }) => sequence)).toEqual(
    Array.from({ length: 40 }, (_, index) => index + 2),
  );
  expect(requests.map(({ moves }) => moves.length)).toEqual([0, 32, 8]);
});

test("a call that fails fails its moves, and the next ones go on", async () => {
  const { requests, move, answer } = createHeldPeer();
  const both = Promise.allSettled([move.by({ x: 1, y: 0 }), move.stop()]);
  await answer(new ConnectError("not now", Code.Unavailable));
  for (const { status } of await both) expect(status).toBe("rejected");
  // It was not walked in that direction, so it is sent again.
  const again = move.stop();
  await answer();
  expect(await again).toMatchObject({ moved: true });
  expect(requests).toHaveLength(2);
});

test("60 frames a second in one direction are a call a second", async () => {
  const { requests, move, clock, answer } = createHeldPeer();
  const first = move.direction({ x: 1, y: 0 });
  await answer();
  const result = await first;
  for (let frame = 0; frame < 60; frame++) {
    clock.advance(1000 / 60 - 0.1);
    expect(await move.direction({ x: 1, y: 0, z: 0 })).toBe(result);
  }
  expect(requests).toHaveLength(1);
  clock.advance(10);
  const second = move.direction({ x: 1, y: 0 });
  await answer();
  await second;
  const turned = move.direction({ x: 0, y: 1 });
  await answer();
  await turned;
  const stepped = move.by({ x: 0, y: 1 });
  await answer();
  await stepped;
  // The step has ended the walk.
  const walking = move.direction({ x: 0, y: 1 });
  await answer();
  await walking;
  expect(requests).toHaveLength(5);
});
