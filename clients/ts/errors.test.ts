import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, expect, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createRealmwire } from "./client.ts";
import { RealmwireError, toRealmwireError } from "./errors.ts";
import { serverError, startScriptedPeer } from "./testing/scripted-peer.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function errorOf(promise: Promise<unknown>): Promise<RealmwireError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof RealmwireError)) throw new Error(`no RealmwireError: ${String(error)}`);
  return error;
}

test("the server's reason arrives with everything that goes with it", async () => {
  const peer = await startScriptedPeer(({ service }) =>
    service(WorldService, {
      version() {
        throw serverError(Code.ResourceExhausted, ErrorReason.TOO_MANY_CALLS, {
          metadata: { limit: "5" },
          retryDelayMs: 1_250,
          field: "name",
        });
      },
    }),
  );
  closers.push(peer.close);
  for (const protocol of ["connect", "grpc-web"] as const) {
    const error = await errorOf(createRealmwire({ baseUrl: peer.baseUrl, protocol }).version());
    expect(error).toMatchObject({
      name: "RealmwireError",
      code: Code.ResourceExhausted,
      reason: ErrorReason.TOO_MANY_CALLS,
      message: "as scripted",
      metadata: { limit: "5" },
      retryDelayMs: 1_250,
    });
    expect(error.violations).toMatchObject([{ field: "name", description: "is wrong" }]);
    expect(error.cause).toBeInstanceOf(ConnectError);
  }
});

test("an address where nobody listens is named, with the cause", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const error = await errorOf(createRealmwire({ baseUrl: `http://127.0.0.1:${port}` }).version());
  expect(error.code).toBe(Code.Unavailable);
  expect(error.message).toContain(`http://127.0.0.1:${port}`);
  expect(error.message).toContain("ECONNREFUSED");
});

test("a server that is none of ours is named", async () => {
  const peer = await startScriptedPeer(() => {});
  closers.push(peer.close);
  const error = await errorOf(createRealmwire({ baseUrl: peer.baseUrl }).version());
  expect(error).toMatchObject({ code: Code.Unimplemented, reason: ErrorReason.UNSPECIFIED });
  expect(error.message).toContain(peer.baseUrl);
});

test("a call that is not answered ends by its time limit", async () => {
  const peer = await startScriptedPeer(({ service }) =>
    service(WorldService, { version: () => new Promise(() => {}) }),
  );
  closers.push(peer.close);
  const client = createRealmwire({ baseUrl: peer.baseUrl, callTimeoutMs: 50 });
  expect((await errorOf(client.version())).code).toBe(Code.DeadlineExceeded);
});

test("whatever is thrown becomes a RealmwireError, and one stays itself", () => {
  const error = new RealmwireError(Code.Aborted, "mine");
  expect(toRealmwireError(error)).toBe(error);
  expect(toRealmwireError("text")).toMatchObject({ code: Code.Unknown, message: "text" });
  const bug = new TypeError("a bug");
  expect(toRealmwireError(bug)).toMatchObject({ code: Code.Unknown, message: "a bug", cause: bug });
});
