import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { Code } from "@connectrpc/connect";
import { afterEach, expect, test, vi } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { createRealmwire } from "./client.ts";
import type { ConnectOptions, RealmwireOptions } from "./client.ts";
import { RealmwireError } from "./errors.ts";
import { createManualClock } from "./testing/manual-clock.ts";
import { TOWN } from "./testing/messages.ts";
import { serverError } from "./testing/scripted-peer.ts";
import { startUpdatePeer } from "./testing/update-peer.ts";
import type { StreamState } from "./world-stream.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A peer and a world that is opened against it, with a clock that stands still. */
async function open(options: Partial<RealmwireOptions> = {}, connectOptions: ConnectOptions = {}) {
  const peer = await startUpdatePeer();
  closers.push(peer.close);
  const clock = createManualClock();
  const client = createRealmwire({ baseUrl: peer.baseUrl, clock, random: () => 0.5, ...options });
  const world = client.connect(connectOptions);
  closers.push(world.close);
  const states: StreamState[] = [];
  world.onState((state) => states.push(state));
  const until = (kind: StreamState["kind"], count = 1): Promise<void> =>
    vi.waitFor(
      () => {
        expect(states.filter((state) => state.kind === kind)).toHaveLength(count);
      },
      { interval: 2, timeout: 5_000 },
    );
  return { peer, clock, client, world, states, until };
}

const first = { tick: 10, cursor: "c10", scene: TOWN, entities: [{ id: 1, name: "ada" }] };

test.each(["connect", "grpc-web"] as const)(
  "messages arrive in the view by %s",
  async (protocol) => {
    const { peer, world } = await open({ protocol });
    expect(world.state).toEqual({ kind: "connecting" });
    const call = await peer.call(0);
    expect(call).toMatchObject({ cursor: "", once: false });
    call.send(first);
    await world.ready();
    expect(world.state).toEqual({ kind: "connected" });
    expect(world.view.self?.name).toBe("ada");
    expect(world.clock.tickNow()).toBe(10);
    call.send({ tick: 11, cursor: "c11", moved: { ids: [1], xs: [256], ys: [0] } });
    await vi.waitFor(() => expect(world.view.self?.position.x).toBe(1), { interval: 2 });
  },
);

test("a dropped connection is resumed behind the last cursor, and the view stays", async () => {
  const { peer, clock, world, states, until } = await open();
  const call = await peer.call(0);
  call.send(first);
  call.send({ tick: 11, cursor: "c11" });
  await vi.waitFor(() => expect(world.view.tick).toBe(11), { interval: 2 });
  peer.dropConnections();
  await until("reconnecting");
  expect(states.at(-1)).toMatchObject({ kind: "reconnecting", attempt: 1, retryInMs: 187.5 });
  expect(world.view.self?.name).toBe("ada");
  expect(peer.calls).toHaveLength(1);
  clock.advance(187.5);
  const resumed = await peer.call(1);
  expect(resumed.cursor).toBe("c11");
  resumed.send({ tick: 15, cursor: "c15", entities: [{ id: 2, name: "hen" }] });
  await until("connected", 2);
  expect([...world.view.entities.keys()]).toEqual([1, 2]);
  expect(world.view.problems).toBe(0);
});

test("a stream that the server ends is resumed too", async () => {
  const { peer, clock, until } = await open();
  const call = await peer.call(0);
  call.send(first);
  call.end();
  await until("reconnecting");
  clock.advance(1_000);
  expect((await peer.call(1)).cursor).toBe("c10");
});

test("12 seconds of silence end a connection, 11 do not", async () => {
  const { peer, clock, states, until } = await open();
  const call = await peer.call(0);
  call.send(first);
  await until("connected");
  clock.advance(11_000);
  expect(states.at(-1)?.kind).toBe("connected");
  clock.advance(1_000);
  expect(states.at(-1)).toMatchObject({ kind: "reconnecting", attempt: 1 });
  await vi.waitFor(() => expect(call.isAborted).toBe(true), { interval: 2 });
  clock.advance(1_000);
  expect((await peer.call(1)).cursor).toBe("c10");
  expect(states.map(({ kind }) => kind)).toEqual(["connected", "reconnecting"]);
});

test("each message ends the silence", async () => {
  const { peer, clock, world, states, until } = await open();
  const call = await peer.call(0);
  call.send(first);
  await until("connected");
  for (let tick = 11; tick < 15; tick++) {
    clock.advance(8_000);
    call.send({ tick, cursor: `c${tick}` });
    await vi.waitFor(() => expect(world.view.tick).toBe(tick), { interval: 2 });
  }
  expect(states.map(({ kind }) => kind)).toEqual(["connected"]);
});

test("a connection without a first message is given up after 5 seconds", async () => {
  const { peer, clock, states } = await open();
  await peer.call(0);
  clock.advance(4_999);
  expect(states).toEqual([]);
  clock.advance(1);
  expect(states).toMatchObject([{ kind: "reconnecting", attempt: 1 }]);
});

test("pauses grow, attempts are bounded, and the last error is told", async () => {
  const { peer, clock, states, until } = await open({}, { reconnect: { maxAttempts: 4 } });
  const down = serverError(Code.Unavailable, ErrorReason.DRAINING);
  const call = await peer.call(0);
  call.send(first);
  call.fail(down);
  for (let attempt = 1; attempt < 4; attempt++) {
    await until("reconnecting", attempt);
    clock.advance(1_000);
    (await peer.call(attempt)).fail(down);
  }
  await until("closed");
  const pauses = states.flatMap((state) =>
    state.kind === "reconnecting" ? [state.retryInMs] : [],
  );
  expect(pauses).toEqual([187.5, 375, 750]);
  expect(states.at(-1)).toMatchObject({ kind: "closed", error: { reason: ErrorReason.DRAINING } });
  expect(clock.pending).toBe(0);
});

test.each([
  [9_000, 2],
  [10_000, 1],
])("after %i healthy milliseconds the next attempt is number %i", async (livesMs, attempt) => {
  const { peer, clock, states, until } = await open();
  (await peer.call(0)).send(first);
  await until("connected");
  peer.dropConnections();
  await until("reconnecting");
  clock.advance(1_000);
  (await peer.call(1)).send({ tick: 11 });
  await until("connected", 2);
  clock.advance(livesMs);
  peer.dropConnections();
  await until("reconnecting", 2);
  expect(states.at(-1)).toMatchObject({ attempt });
});

test("the server's own delay is respected", async () => {
  const { peer, states, until } = await open();
  const more = { retryDelayMs: 7_000 };
  (await peer.call(0)).fail(
    serverError(Code.ResourceExhausted, ErrorReason.TOO_MANY_STREAMS, more),
  );
  await until("reconnecting");
  expect(states.at(-1)).toMatchObject({ retryInMs: 7_000 });
});

test.each([
  [Code.Unauthenticated, ErrorReason.SESSION_REPLACED],
  [Code.Unauthenticated, ErrorReason.LOGIN_REQUIRED],
  [Code.PermissionDenied, ErrorReason.ROLE_TOO_LOW],
  [Code.FailedPrecondition, ErrorReason.NO_CHARACTER],
  [Code.InvalidArgument, ErrorReason.INVALID_FIELDS],
])("code %i with reason %i ends the world for good", async (code, reason) => {
  const { peer, clock, world, states, until } = await open();
  const call = await peer.call(0);
  call.send(first);
  await until("connected");
  call.fail(serverError(code, reason));
  await until("closed");
  expect(states.at(-1)).toMatchObject({ kind: "closed", error: { code, reason } });
  expect(clock.pending).toBe(0);
  await expect(world.ready()).rejects.toBeInstanceOf(RealmwireError);
  clock.advance(60_000);
  expect(peer.calls).toHaveLength(1);
});

test("after another character was selected the stream begins afresh", async () => {
  const { peer, clock, until } = await open();
  const call = await peer.call(0);
  call.send(first);
  call.fail(serverError(Code.Aborted, ErrorReason.UNSPECIFIED));
  await until("reconnecting");
  clock.advance(1_000);
  expect((await peer.call(1)).cursor).toBe("");
});

test("closing tells the server, stops all timers, and may be done twice", async () => {
  const { peer, clock, world, states, until } = await open();
  const call = await peer.call(0);
  call.send(first);
  await until("connected");
  world.close();
  world.close();
  expect(states.slice(1)).toEqual([{ kind: "closed" }]);
  expect(clock.pending).toBe(0);
  await vi.waitFor(() => expect(call.isAborted).toBe(true), { interval: 2 });
});

test("closing in the middle of a pause, by a listener, is heard at once", async () => {
  const { peer, clock, world, until } = await open();
  world.onState((state) => state.kind === "reconnecting" && world.close());
  (await peer.call(0)).end();
  await until("closed");
  expect(clock.pending).toBe(0);
  await expect(world.ready()).rejects.toMatchObject({ code: Code.Canceled });
});

test("a listener that throws does not cost the connection", async () => {
  const errors: unknown[] = [];
  const { peer, world, until } = await open({ onListenerError: (error) => errors.push(error) });
  world.view.onUpdate(() => {
    throw new Error("mine");
  });
  (await peer.call(0)).send(first);
  await until("connected");
  expect(errors).toHaveLength(1);
});

test("a wrong address ends in seconds, with the real clock, and is named", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const world = createRealmwire({ baseUrl: `http://127.0.0.1:${port}` }).connect();
  const begin = performance.now();
  await expect(world.ready()).rejects.toMatchObject({
    code: Code.Unavailable,
    message: expect.stringContaining(`http://127.0.0.1:${port}`) as string,
  });
  expect(performance.now() - begin).toBeLessThan(3_000);
});

test("one look needs no stream", async () => {
  const { peer, client } = await open();
  const looking = client.look();
  const call = await vi.waitFor(
    () => peer.calls.find(({ once }) => once) ?? Promise.reject(new Error("not yet")),
    { interval: 2 },
  );
  call.send(first);
  call.end();
  expect((await looking).self?.name).toBe("ada");
});
