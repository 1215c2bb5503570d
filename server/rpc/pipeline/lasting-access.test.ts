import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import {
  UpdateResponseSchema,
  WorldService,
} from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { readFailure } from "../../../test/support/player.ts";
import {
  createTokenTable,
  type RpcServer,
  sessionOf,
  startRpcServer,
  TOKENS,
  type TokenTable,
  worldWith,
} from "../../../test/support/rpc-server.ts";
import type { SessionStanding } from "../../account/session.ts";
import { DomainError } from "../../errors.ts";
import { toReadyStream } from "../../../test/support/endless-stream.ts";
import { messageSink, readyStream } from "../service.ts";

/** How an Update is served: as messages, by connect's own means, or as bytes. */
const KINDS = ["messages", "bytes"] as const;

let authenticator: TokenTable;
let servers: Record<(typeof KINDS)[number], RpcServer>;
let open = 0;

beforeEach(async () => {
  authenticator = createTokenTable();
  open = 0;
  const input = messageSink<never, never>(async () => {
    open += 1;
    return { take: () => undefined, finish: () => ({}), close: () => void (open -= 1) } as never;
  });
  const start = (update: never) =>
    startRpcServer({
      services: [worldWith({ update, input })],
      pipeline: { authenticator },
    });
  servers = {
    messages: await start(async function* (_: unknown, call: { signal: AbortSignal }) {
      open += 1;
      try {
        yield create(UpdateResponseSchema, { tick: 1 });
        await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
      } finally {
        open -= 1;
      }
    } as never),
    bytes: await start(
      readyStream(async () => {
        open += 1;
        return toReadyStream(UpdateResponseSchema, { tick: 1 }, () => void (open -= 1));
      }) as never,
    ),
  };
});

afterEach(async () => {
  for (const server of Object.values(servers)) await server.close();
});

const over = (reason: ErrorReason): SessionStanding => ({
  kind: "over",
  error: new DomainError(reason, "it is over"),
});

/** What tells of a session's end, and the reason that its streams are given. */
const ENDS: readonly (readonly [string, SessionStanding, ErrorReason])[] = [
  ["a logout", over(ErrorReason.TOKEN_INVALID), ErrorReason.TOKEN_INVALID],
  ["another login", over(ErrorReason.SESSION_REPLACED), ErrorReason.SESSION_REPLACED],
  [
    "a role that is too low",
    { kind: "live", session: sessionOf(1, "ada", Role.ANONYMOUS) },
    ErrorReason.ROLE_TOO_LOW,
  ],
];
const STILL_GOOD: SessionStanding = { kind: "live", session: sessionOf(1, "ada", Role.BUILDER) };

function clientOf(server: RpcServer, protocol: "connect" | "grpc") {
  const transport =
    protocol === "grpc"
      ? createGrpcTransport({ baseUrl: server.url })
      : createConnectTransport({ baseUrl: server.url, httpVersion: "2" });
  return createClient(WorldService, transport);
}

const headers = { authorization: `Bearer ${TOKENS.player}` };

describe.each(KINDS)("a stream of %s", (kind) => {
  test.each(ENDS)("ends with %s", async (_, standing, reason) => {
    for (const protocol of ["connect", "grpc"] as const) {
      const updates = clientOf(servers[kind], protocol).update({}, { headers });
      const answers = updates[Symbol.asyncIterator]();
      expect((await answers.next()).value).toMatchObject({ tick: 1 });
      // Other sessions, and a role that is still high enough, do not matter.
      authenticator.tell("builder", standing);
      authenticator.tell("ada", STILL_GOOD);
      expect(open).toBe(1);
      authenticator.tell("ada", standing);
      const failure = await answers.next().then(
        () => undefined,
        (error: unknown) => readFailure(error),
      );
      expect(failure?.reason).toBe(reason);
      await expect.poll(() => [open, authenticator.watched]).toEqual([0, 0]);
    }
  });

  test("is watched no longer than it lasts", async () => {
    const leaving = new AbortController();
    const { signal } = leaving;
    const updates = clientOf(servers[kind], "connect").update({}, { headers, signal });
    const answers = updates[Symbol.asyncIterator]();
    expect((await answers.next()).value).toMatchObject({ tick: 1 });
    expect(authenticator.watched).toBe(1);
    leaving.abort();
    await expect.poll(() => [open, authenticator.watched]).toEqual([0, 0]);
  });
});

test.each(ENDS)(
  "a stream of messages from the client ends with %s",
  async (_, standing, reason) => {
    for (const protocol of ["connect", "grpc"] as const) {
      const never = Promise.withResolvers<void>();
      const call = clientOf(servers.bytes, protocol).input(
        (async function* () {
          yield { moves: [{ kind: { case: "offset", value: { x: 1 } }, sequence: 1 }] } as const;
          await never.promise;
        })(),
        { headers },
      );
      const failed = call.then(
        () => undefined,
        (error: unknown) => readFailure(error),
      );
      await expect.poll(() => authenticator.watched).toBe(1);
      authenticator.tell("ada", STILL_GOOD);
      expect(open).toBe(1);
      authenticator.tell("ada", standing);
      expect((await failed)?.reason).toBe(reason);
      never.resolve();
      await expect.poll(() => [open, authenticator.watched]).toEqual([0, 0]);
    }
  },
);
