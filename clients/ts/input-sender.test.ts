import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import {
  MoveRefusal,
  MoveSchema,
  UpdateResponseSchema,
  WorldService,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { InputRequest } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createInputSender, MAX_WAITING_MOVES } from "./input-sender.ts";
import type { MoveResult, PendingMove } from "./move-sender.ts";
import { createManualClock } from "./testing/manual-clock.ts";

/** A server that takes streams, and a sender before it. */
function start(onInput: (request: InputRequest) => void = () => {}) {
  const streams: InputRequest[][] = [];
  const clock = createManualClock();
  const unusable: PendingMove[] = [];
  const transport = createRouterTransport(({ service }) =>
    service(WorldService, {
      async input(requests) {
        const stream: InputRequest[] = [];
        streams.push(stream);
        for await (const request of requests) {
          stream.push(request);
          onInput(request);
        }
        return { taken: stream.length };
      },
    }),
  );
  const sender = createInputSender({
    world: createClient(WorldService, transport),
    clock,
    onUnusable: (moves) => void unusable.push(...moves),
  });
  const results: (MoveResult | Error)[] = [];
  const send = (...sequences: number[]) =>
    sender.send(
      sequences.map((sequence) => ({
        move: create(MoveSchema, { kind: { case: "offset", value: { x: 1 } }, sequence }),
        settle: (result) => void results.push(result),
        fail: (error) => void results.push(error),
      })),
    );
  const observe = (update: Parameters<typeof create<typeof UpdateResponseSchema>>[1]) =>
    sender.observe(create(UpdateResponseSchema, update), { x: 3, y: 4, z: 0 });
  const arrived = (count: number) =>
    vi.waitFor(() => expect(streams.flat().flatMap(({ moves }) => moves)).toHaveLength(count), {
      interval: 1,
    });
  return { sender, send, observe, results, streams, clock, unusable, arrived };
}

test("moves are settled by what the updates acknowledge and refuse", async () => {
  const { send, observe, results, streams, arrived } = start();
  send(1, 2);
  await arrived(2);
  send(3);
  await arrived(3);
  expect(streams).toHaveLength(1);
  expect(streams[0]?.map(({ moves }) => moves.length)).toEqual([2, 1]);
  observe({ tick: 9 });
  expect(results).toEqual([]);
  observe({
    tick: 10,
    acknowledged: 2,
    refused: [{ sequence: 2, refusal: MoveRefusal.BARRIER, position: { x: 7 } }],
  });
  expect(results).toMatchObject([
    { moved: true, sequence: 1, tick: 10, position: { x: 3, y: 4 } },
    { moved: false, sequence: 2, refusal: MoveRefusal.BARRIER, position: { x: 7 } },
  ]);
  observe({ tick: 11, acknowledged: 3 });
  expect(results[2]).toMatchObject({ moved: true, sequence: 3 });
});

test("a stream that fails fails what was waiting, and the next move opens another", async () => {
  const { send, results, streams, arrived, observe } = start(({ moves }) => {
    if (moves[0]?.sequence === 2) throw new ConnectError("too many", Code.ResourceExhausted);
  });
  send(1);
  await arrived(1);
  observe({ acknowledged: 1 });
  send(2);
  await vi.waitFor(() => expect(results).toHaveLength(2), { interval: 1 });
  expect(results[1]).toMatchObject({ name: "RealmwireError", code: Code.ResourceExhausted });
  send(3);
  await vi.waitFor(() => expect(streams).toHaveLength(2), { interval: 1 });
});

test("where streams are not taken, moves go another way", async () => {
  const { send, unusable, results } = start(() => {
    throw new ConnectError("what is that", Code.Unimplemented);
  });
  send(1, 2);
  await vi.waitFor(() => expect(unusable).toHaveLength(2), { interval: 1 });
  expect(results).toEqual([]);
});

test("draining sends all, ends the stream, and what was not told of fails", async () => {
  const { sender, send, streams, results, clock } = start();
  send(...Array.from({ length: 40 }, (_, index) => index + 1));
  await sender.drain();
  expect(streams[0]?.map(({ moves }) => moves.length)).toEqual([32, 8]);
  expect(results).toHaveLength(40);
  expect(results[0]).toMatchObject({ code: Code.Canceled });
  expect(clock.pending).toBe(0);
  await sender.drain();
  send(41);
  await vi.waitFor(() => expect(streams).toHaveLength(2), { interval: 1 });
});

test("a stream that is given up fails its moves at once", async () => {
  const { sender, send, results, arrived } = start();
  send(1);
  await arrived(1);
  sender.abandon();
  await vi.waitFor(() => expect(results).toMatchObject([{ code: Code.Canceled }]), { interval: 1 });
});

test("beyond the bound the oldest moves fail", async () => {
  const { send, results } = start();
  const count = MAX_WAITING_MOVES + 2;
  send(...Array.from({ length: count }, (_, index) => index + 1));
  expect(results).toMatchObject([{ code: Code.DeadlineExceeded }, { code: Code.DeadlineExceeded }]);
});
