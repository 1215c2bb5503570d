import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../../gen/ts/grpc/health/v1/health_pb.ts";
import { type RpcServer, startRpcServer, worldWith } from "../../../test/support/rpc-server.ts";
import { createHealth } from "./health.ts";

const WORLD = "realmwire.v1.WorldService";

let server: RpcServer;

beforeEach(async () => {
  server = await startRpcServer({ services: [worldWith({})] });
});

afterEach(async () => {
  await server.close();
});

function connectClient() {
  return createClient(Health, createGrpcTransport({ baseUrl: server.url }));
}

test("Check answers for the server, for a service, and not for one that is not there", async () => {
  const client = connectClient();
  expect((await client.check({})).status).toBe(ServingStatus.SERVING);
  server.health.setServiceServing(WORLD, false);
  expect((await client.check({ service: WORLD })).status).toBe(ServingStatus.NOT_SERVING);
  expect((await client.check({})).status).toBe(ServingStatus.SERVING);
  server.health.setServiceServing(WORLD, true);
  server.health.setServing(false);
  expect((await client.check({ service: WORLD })).status).toBe(ServingStatus.NOT_SERVING);
  const error = await client.check({ service: "no.Such" }).catch(ConnectError.from);
  expect(error).toMatchObject({ code: Code.NotFound });
  expect(() => server.health.setServiceServing("no.Such", true)).toThrow(/no\.Such/);
});

test("List answers for all", async () => {
  const { statuses } = await connectClient().list({});
  expect(Object.entries(statuses).map(([name, { status }]) => [name, status])).toEqual([
    ["", ServingStatus.SERVING],
    [WORLD, ServingStatus.SERVING],
  ]);
});

test("Watch tells changes, and only changes", async () => {
  const watching = connectClient().watch({ service: WORLD })[Symbol.asyncIterator]();
  const next = async () =>
    ((await watching.next()) as IteratorYieldResult<{ status: ServingStatus }>).value.status;
  expect(await next()).toBe(ServingStatus.SERVING);
  server.health.setServing(true);
  server.health.setServing(false);
  expect(await next()).toBe(ServingStatus.NOT_SERVING);
  server.health.setServing(true);
  expect(await next()).toBe(ServingStatus.SERVING);
  await watching.return?.();
});

test("Watch of a service that is not there stays open and says so", async () => {
  const watching = connectClient().watch({ service: "no.Such" })[Symbol.asyncIterator]();
  expect((await watching.next()).value).toMatchObject({ status: ServingStatus.SERVICE_UNKNOWN });
  await watching.return?.();
});

type Watch = (
  request: { service: string },
  context: { signal: AbortSignal },
) => AsyncGenerator<{ status: ServingStatus }>;

test("a watcher that leaves makes room for another, and there are not more than the limit", async () => {
  const health = createHealth({ services: [], maxWatchers: 1 });
  const leaving = new AbortController();
  const watch = (signal: AbortSignal) => {
    const stream = health.service.implementation["watch"] as Watch;
    return stream({ service: "" }, { signal });
  };
  const first = watch(leaving.signal);
  expect((await first.next()).value).toEqual({ status: ServingStatus.NOT_SERVING });
  await expect(watch(leaving.signal).next()).rejects.toMatchObject({
    code: Code.ResourceExhausted,
  });
  leaving.abort();
  expect((await first.next()).done).toBe(true);
  expect((await watch(new AbortController().signal).next()).done).toBe(false);
});
