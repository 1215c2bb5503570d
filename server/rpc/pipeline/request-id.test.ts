import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WorldService } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import {
  createMemoryLog,
  type RpcServer,
  startRpcServer,
  worldWith,
} from "../../../test/support/rpc-server.ts";
import { createTransport, type Protocol, PROTOCOLS } from "../../../test/support/server.ts";
import { createCallLog } from "./call-log.ts";
import {
  MAX_REQUEST_ID_LENGTH,
  REQUEST_ID_HEADER,
  requestIdOf,
  withRequestId,
} from "./request-id.ts";

const MADE = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

test("what a caller says is taken over when it is well-formed and not too long", () => {
  for (const id of [
    "1",
    "4bf92f3577b34da6a3ce929d0e0e4736",
    "Root=1-67891233-abc/def+gh==",
    "a.b:c@d",
  ]) {
    expect(requestIdOf(id)).toBe(id);
  }
  const longest = "x".repeat(MAX_REQUEST_ID_LENGTH);
  expect(requestIdOf(longest)).toBe(longest);
  for (const id of [
    `${longest}x`,
    "",
    " ",
    "a b",
    "a\nb",
    'a"b',
    "ü",
    "a,b",
    undefined,
    null,
    ["a"],
  ]) {
    expect(requestIdOf(id)).toMatch(MADE);
  }
  expect(requestIdOf(undefined)).not.toBe(requestIdOf(undefined));
});

test("an error that several calls share keeps what it was", () => {
  const shared = new ConnectError("no", Code.DataLoss, { "x-why": "so" });
  const [one, other] = [withRequestId(shared, "1"), withRequestId(shared, "2")];
  expect([one, other].map(({ metadata }) => metadata.get(REQUEST_ID_HEADER))).toEqual(["1", "2"]);
  expect(one).toMatchObject({ code: Code.DataLoss, rawMessage: "no" });
  expect(one.metadata.get("x-why")).toBe("so");
  expect(shared.metadata.has(REQUEST_ID_HEADER)).toBe(false);
});

let short: RpcServer;
let adapter: RpcServer;
const { logger, lines } = createMemoryLog();

beforeAll(async () => {
  const services = [
    worldWith({
      version(_, { requestId }) {
        throw new Error(`a bug in ${requestId}`);
      },
    }),
  ];
  const options = { services, pipeline: { logger, observer: createCallLog(logger) } };
  [short, adapter] = [
    await startRpcServer({ ...options, shortWay: true }),
    await startRpcServer({ ...options, shortWay: false }),
  ];
});
afterAll(async () => {
  await short?.close();
  await adapter?.close();
});

/** Makes a call that fails; the id in its answer comes back. */
async function idOfFailure(url: string, protocol: Protocol, id?: string): Promise<string> {
  const client = createClient(WorldService, createTransport(url, protocol));
  const headers = id === undefined ? {} : { [REQUEST_ID_HEADER]: id };
  const error = await client.version({}, { headers }).then(
    () => undefined,
    (failure: unknown) => ConnectError.from(failure),
  );
  return error?.metadata.get(REQUEST_ID_HEADER) ?? "";
}

for (const way of ["short way", "adapter"] as const) {
  for (const protocol of PROTOCOLS) {
    test(`${way}, ${protocol}: the id is in the error, for the handler, and in each line of the log`, async () => {
      const { url } = way === "adapter" ? adapter : short;
      lines.length = 0;
      expect(await idOfFailure(url, protocol, `given-${protocol}`)).toBe(`given-${protocol}`);
      const made = await idOfFailure(url, protocol, "not well formed");
      expect(made).toMatch(MADE);
      const ids = lines.map(({ message, fields }) => [
        message,
        (fields as { requestId?: string }).requestId,
      ]);
      expect(ids).toEqual([
        ["a call failed", `given-${protocol}`],
        ["a call ended", `given-${protocol}`],
        ["a call failed", made],
        ["a call ended", made],
      ]);
      expect(lines[0]?.fields).toMatchObject({ err: { message: `a bug in given-${protocol}` } });
      expect(lines[1]?.fields).toMatchObject({
        call: "realmwire.v1.WorldService/Version",
        outcome: "Internal",
        peer: "127.0.0.1",
      });
    });
  }
}
