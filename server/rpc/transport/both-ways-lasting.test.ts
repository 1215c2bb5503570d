import { setTimeout as sleep } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ErrorDetailSchema, ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import {
  GetRequestSchema,
  UpdateRequestSchema,
} from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { type OpenCall, openCall } from "../../../test/support/open-call.ts";
import { startTwoWays, type TwoWays } from "../../../test/support/two-ways.ts";
import { inEnvelope, STREAM_WIRES, UNARY_WIRES, type Wire } from "../../../test/support/wire.ts";
import { DomainError } from "../../errors.ts";

const GET = "/realmwire.v1.WorldService/Get";
const UPDATE = "/realmwire.v1.WorldService/Update";

let ways: TwoWays;
let shutdown: AbortController;
const opened: OpenCall[] = [];

beforeEach(async () => {
  shutdown = new AbortController();
  ways = await startTwoWays({ connect: { shutdownSignal: shutdown.signal } });
});

afterEach(async () => {
  for (const { close } of opened.splice(0)) close();
  await ways.close();
});

type Server = TwoWays["short"];

/** Does the same both ways, and expects the same to come of it. */
async function expectSame<T>(act: (server: Server) => Promise<T>): Promise<T> {
  const [short, adapter] = await Promise.all([act(ways.short), act(ways.adapter)]);
  expect(short).toEqual(adapter);
  return short;
}

function framed(wire: Wire, message: Uint8Array): Uint8Array {
  return wire.enveloped ? inEnvelope(message) : message;
}

function openStream(server: Server, wire: Wire, cursor: string, headers = {}): OpenCall {
  const message = toBinary(UpdateRequestSchema, create(UpdateRequestSchema, { cursor }));
  const call = openCall(server, wire, UPDATE, framed(wire, message), headers);
  opened.push(call);
  return call;
}

function openGet(server: Server, wire: Wire, name: string): OpenCall {
  const message = toBinary(GetRequestSchema, create(GetRequestSchema, { name }));
  const call = openCall(server, wire, GET, framed(wire, message));
  opened.push(call);
  return call;
}

describe.each(STREAM_WIRES)("a stream that lasts: $name", (wire) => {
  const soon = { [wire.timeoutHeader]: wire.timeoutValue(150) };

  test("the server stops", async () => {
    const both = [
      openStream(ways.short, wire, "wait"),
      openStream(ways.adapter, wire, "wait"),
    ] as const;
    for (const one of both) expect(await one.parts(3)).toHaveLength(3);
    shutdown.abort(
      new DomainError(ErrorReason.DRAINING, "the server is stopping", { retryDelayMs: 5_000 }),
    );
    const [short, adapter] = await Promise.all(both.map((one) => one.parts(99)));
    await expect.poll(() => both[0].trailers).toEqual(both[1].trailers);
    expect(short).toEqual(adapter);
    expect(JSON.stringify([short?.slice(3), both[0].trailers])).toMatch(
      /unavailable|"grpc-status":"14"/,
    );
    expect(JSON.stringify([short?.slice(3), both[0].trailers])).toMatch(
      new RegExp(`${ErrorDetailSchema.typeName}|grpc-status-details-bin`),
    );
    expect(ways.short.witness.closed).toEqual(["wait"]);
    expect(ways.adapter.witness.closed).toEqual(["wait"]);
  });

  test("a deadline passes in the middle", async () => {
    const parts = await expectSame(async (server) => {
      const one = openStream(server, wire, "wait", soon);
      return { parts: await one.parts(99), trailers: one.trailers };
    });
    expect(parts.parts.length).toBeGreaterThanOrEqual(3);
    expect(JSON.stringify(parts)).toMatch(/deadline_exceeded|"grpc-status":"4"/);
    expect(ways.short.witness.closed).toEqual(["wait"]);
  });

  test("the caller goes away", async () => {
    await expectSame(async (server) => {
      const one = openStream(server, wire, "wait");
      await one.parts(3);
      one.leave();
      await expect.poll(() => server.witness.closed).toEqual(["wait"]);
      await sleep(20);
      return server.witness.closed;
    });
  });

  test("the caller goes away before the stream was opened", async () => {
    await expectSame(async (server) => {
      const one = openStream(server, wire, "late");
      await expect.poll(() => server.witness.waiting).toBe(1);
      one.leave();
      await expect.poll(() => server.witness.aborted).toHaveLength(1);
      await expect.poll(() => server.witness.closed).toEqual(["late"]);
      return true;
    });
  });

  test("a caller that does not read holds the stream back, and its deadline ends it", async () => {
    const one = openStream(ways.short, wire, "flood:30000", {
      [wire.timeoutHeader]: wire.timeoutValue(1_500),
    });
    await one.parts(1);
    one.pause();
    const paused = ways.short.witness.given;
    let held = -1;
    while (held !== ways.short.witness.given) {
      held = ways.short.witness.given;
      await sleep(150);
    }
    // 30 kB each: what the buffers of two sockets hold, and no more.
    expect(held - paused).toBeLessThan(500);
    one.resume();
    await expect.poll(() => ways.short.witness.given).toBeGreaterThan(held + 20);
    one.pause();
    await expect.poll(() => ways.short.witness.closed, { timeout: 5_000 }).toEqual(["flood:30000"]);
  });

  test("a stream that always has more leaves time for others", async () => {
    const one = openStream(ways.short, wire, "flood:1");
    await one.parts(1);
    expect((await fetch(`${ways.short.url}/healthz`)).status).toBe(200);
    one.leave();
    await expect.poll(() => ways.short.witness.closed).toEqual(["flood:1"]);
  });
});

describe.each(UNARY_WIRES)("a unary call: $name", (wire) => {
  test("the caller goes away, and its handler is told", async () => {
    await expectSame(async (server) => {
      const one = openGet(server, wire, "wait:x");
      await expect.poll(() => server.witness.waiting).toBe(1);
      one.leave();
      await expect.poll(() => server.witness.aborted).toHaveLength(1);
      return server.log.filter(({ level }) => level === "error");
    });
  });

  test("the server stops", async () => {
    const both = [
      openGet(ways.short, wire, "wait:x"),
      openGet(ways.adapter, wire, "wait:x"),
    ] as const;
    await sleep(50);
    shutdown.abort(new DomainError(ErrorReason.DRAINING, "the server is stopping"));
    await expect.poll(() => ways.short.witness.aborted).toHaveLength(1);
    await expect.poll(() => ways.adapter.witness.aborted).toHaveLength(1);
    if (wire.enveloped) {
      const [short, adapter] = await Promise.all(both.map((one) => one.parts(99)));
      expect(short).toEqual(adapter);
      expect(both[0].trailers).toEqual(both[1].trailers);
      expect(JSON.stringify([short, both[0].trailers])).toMatch(/"grpc-status":"14"/);
    }
  });
});

test("connections that break at any moment disturb nobody", async () => {
  for (const wire of STREAM_WIRES) {
    for (let step = 0; step < 30; step++) {
      const cursor = ["flood:9000", "wait", "fail:7", "late"][step % 4] ?? "";
      const one = openStream(ways.short, wire, cursor);
      await sleep(step / 5);
      one.leave();
    }
  }
  expect((await fetch(`${ways.short.url}/healthz`)).status).toBe(200);
  for (const { close } of opened.splice(0)) close();
  // The one of `fetch` is kept alive.
  await expect.poll(() => ways.short.port.connections).toBeLessThan(2);
  expect(ways.short.log.filter(({ level }) => level === "error")).toEqual([]);
});
