import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { UpdateResponseSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { UpdateResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createManualClock } from "./testing/manual-clock.ts";
import { createWorldStream } from "./world-stream.ts";

/** A connection that does not care whether it is aborted, as with a `fetch` that cannot be. */
interface DeafConnection {
  readonly cursor: string;
  send(tick: number): Promise<void>;
  end(): Promise<void>;
}

function createDeafStream() {
  const connections: DeafConnection[] = [];
  const ticks: number[] = [];
  const states: string[] = [];
  const clock = createManualClock();
  const stream = createWorldStream({
    clock,
    random: () => 0,
    onMessage: ({ tick }) => ticks.push(tick),
    open(cursor) {
      const waiting: ((result: IteratorResult<UpdateResponse>) => void)[] = [];
      const answer = async (result: IteratorResult<UpdateResponse>): Promise<void> => {
        waiting.shift()?.(result);
        await new Promise((resolve) => setImmediate(resolve));
      };
      connections.push({
        cursor,
        send: (tick) =>
          answer({
            value: create(UpdateResponseSchema, { tick, cursor: `c${tick}` }),
            done: false,
          }),
        end: () => answer({ value: undefined, done: true }),
      });
      const next = () =>
        new Promise<IteratorResult<UpdateResponse>>((resolve) => waiting.push(resolve));
      return { [Symbol.asyncIterator]: () => ({ next }) };
    },
  });
  stream.onState(({ kind }) => states.push(kind));
  return { clock, connections, ticks, states, stream };
}

test.each([
  ["a message", (connection?: DeafConnection) => connection?.send(99)],
  ["its end", (connection?: DeafConnection) => connection?.end()],
])("of a connection that was given up, %s is passed over", async (_, speak) => {
  const { clock, connections, ticks, states, stream } = createDeafStream();
  stream.start();
  await connections[0]?.send(1);
  clock.advance(12_000);
  clock.advance(125);
  expect(connections.map(({ cursor }) => cursor)).toEqual(["", "c1"]);
  await connections[1]?.send(2);
  await speak(connections[0]);
  expect(ticks).toEqual([1, 2]);
  expect(states).toEqual(["connected", "reconnecting", "connected"]);
});

test("a closed stream stays closed, whatever its connection does and whoever starts it again", async () => {
  const { clock, connections, ticks, states, stream } = createDeafStream();
  stream.start();
  stream.start();
  await connections[0]?.send(1);
  stream.close();
  await connections[0]?.send(2);
  stream.start();
  clock.advance(60_000);
  expect(connections).toHaveLength(1);
  expect(ticks).toEqual([1]);
  expect(states).toEqual(["connected", "closed"]);
});

test("nothing happens before the start", () => {
  const { clock, connections, stream } = createDeafStream();
  clock.advance(60_000);
  expect(connections).toEqual([]);
  expect(stream.state).toEqual({ kind: "connecting" });
});
