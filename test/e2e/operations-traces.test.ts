import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createDataFolders, type DataFolders } from "../support/data-folders.ts";
import { type ChildServer, runServer, serverArgs } from "../support/child-server.ts";
import { failureOf } from "../support/player.ts";
import { createTransport, PROTOCOLS } from "../support/server.ts";

const PASSWORD = "sesame-opens-the-gate";

/** A span as OTLP has it in JSON. */
interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly status: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Span["attributes"] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

let collector: Server;
let endpoint: string;
let folders: DataFolders;
const bodies: string[] = [];
const running = new Set<ChildServer>();

beforeAll(async () => {
  folders = await createDataFolders();
  collector = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      if (request.url === "/v1/traces") bodies.push(body);
      response.setHeader("content-type", "application/json");
      response.end("{}");
    });
  }).listen(0, "127.0.0.1");
  await once(collector, "listening");
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
});
afterAll(async () => {
  for (const server of running) await server.dispose();
  collector?.close();
  collector?.closeAllConnections();
  await folders?.dispose();
});

function run(args: readonly string[], env: NodeJS.ProcessEnv): ChildServer {
  const server = runServer(args, env);
  running.add(server);
  return server;
}

function valuesOf(attributes: Span["attributes"]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

test("calls of every protocol and their store operations reach a collector, in the caller's trace, without secrets", async () => {
  const server = run(serverArgs(await folders.next()), { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  const { baseUrl } = await server.ready();
  const traces = PROTOCOLS.map((_, i) => `${i + 1}`.repeat(32));
  for (const [i, protocol] of PROTOCOLS.entries()) {
    const client = createClient(WorldService, createTransport(baseUrl, protocol));
    const headers = {
      traceparent: `00-${traces[i]}-00f067aa0ba902b7-01`,
      "x-request-id": `call-${i}`,
    };
    const made = { name: `trace-${protocol}`, password: PASSWORD };
    await client.new(made, { headers });
    await failureOf(client.new(made, { headers }));
  }
  await failureOf(createClient(WorldService, createTransport(baseUrl, "connect")).get({}));
  server.signal("SIGTERM");
  expect(await server.ended()).toEqual({ code: 0, signal: null });

  const exports = bodies.map((body) => JSON.parse(body) as Export);
  const spans = exports.flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
  );
  const resource = valuesOf(exports[0]?.resourceSpans[0]?.resource.attributes ?? []);
  expect(resource).toMatchObject({ "service.name": "realmwire", "service.version": "0.1.0" });
  for (const [i, traceId] of traces.entries()) {
    const calls = spans.filter(
      (span) => span.traceId === traceId && span.name === "realmwire.v1.WorldService/New",
    );
    expect(calls).toHaveLength(2);
    const [call, failed] = calls as [Span, Span];
    expect(call).toMatchObject({ parentSpanId: "00f067aa0ba902b7", kind: 2 });
    expect(valuesOf(call.attributes)["realmwire.request_id"]).toBe(`call-${i}`);
    const inside = spans.filter(({ parentSpanId }) => parentSpanId === call.spanId);
    expect(inside.map(({ name }) => name)).toContain("store createAccount");
    expect(new Set(inside.map((span) => span.traceId))).toEqual(new Set([traceId]));
    expect(failed.status.code).toBe(2);
    expect(valuesOf(failed.attributes)["error.type"]).toBe("AlreadyExists");
  }
  const alone = spans.find(({ name }) => name === "realmwire.v1.WorldService/Get");
  expect(alone).not.toHaveProperty("parentSpanId");
  expect(bodies.join("")).not.toContain(PASSWORD);
});

test("a part of the traces, or none, is kept; a collector that is away disturbs nobody", async () => {
  const seen = bodies.length;
  const none = { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0" };
  const quiet = run(serverArgs(await folders.next()), {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    ...none,
  });
  const away = run(serverArgs(await folders.next()), {
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
  });
  for (const server of [quiet, away]) {
    const { baseUrl } = await server.ready();
    await createClient(WorldService, createTransport(baseUrl, "connect")).version({});
    server.signal("SIGTERM");
    expect(await server.ended()).toEqual({ code: 0, signal: null });
  }
  expect(bodies).toHaveLength(seen);
}, 60_000);

test.each([
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector" }, "OTEL_EXPORTER_OTLP_ENDPOINT: must be a URL"],
  [{ OTEL_TRACES_SAMPLER: "jaeger_remote" }, "OTEL_TRACES_SAMPLER: must be parentbased_"],
  [{ OTEL_TRACES_SAMPLER_ARG: "2" }, "OTEL_TRACES_SAMPLER_ARG: "],
])("what cannot be used ends the start: %j", async (env, message) => {
  const server = run(serverArgs(await folders.next()), {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    ...env,
  });
  expect(await server.ended()).toEqual({ code: 2, signal: null });
  expect(server.stderr).toContain(message);
});
