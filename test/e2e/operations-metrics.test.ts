import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { InputSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { createDataFolders, type DataFolders } from "../support/data-folders.ts";
import { type ChildServer, runServer, serverArgs } from "../support/child-server.ts";
import { openInput } from "../support/input-stream.ts";
import { eventually, failureOf, registerPlayer } from "../support/player.ts";
import { type Scrape, scrape } from "../support/scrape.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

/** More than a viewer keeps for a client that does not read. */
const SAID = 300;

let server: TestServer;
let folders: DataFolders;

beforeAll(async () => {
  folders = await createDataFolders();
  // One thread, so that the metrics of zones come from another one.
  server = await startTestServer({ args: { "metrics-port": "0", threads: "1" } });
});
afterAll(async () => {
  await server?.dispose();
  await folders?.dispose();
});

const WORLD = "realmwire.v1.WorldService";

/** By how much a series has grown between two readings. */
function grown(before: Scrape, after: Scrape) {
  return (name: string, labels: Readonly<Record<string, string>> = {}) =>
    (after.value(`realmwire_${name}`, labels) ?? Number.NaN) -
    (before.value(`realmwire_${name}`, labels) ?? 0);
}

test("each metric moves with what it tells of, over every protocol and from the thread of the zone", async () => {
  const before = await scrape(server.metricsPort);
  const [ann, ben, cal] = [
    await registerPlayer(server.baseUrl, "Ann", "connect"),
    await registerPlayer(server.baseUrl, "Ben", "grpc"),
    await registerPlayer(server.baseUrl, "Cal", "grpc-web"),
  ];
  const watcher = ann.watch();
  await watcher.ticks(3);
  for (const player of [ann, ben, cal]) await player.get("", ["name"]);
  await failureOf(ann.get("", ["no such attribute"]));
  const input = openInput(server.baseUrl, ben.token);
  await input.send({ way: "direction", x: 1, y: 0, sequence: 1 });
  const during = await eventually("both streams to be told", async () => {
    const now = await scrape(server.metricsPort);
    const open = (call: string) =>
      now.value("realmwire_streams_open", { method: `${WORLD}/${call}` });
    return open("Update") === 1 && open("Input") === 1 ? now : undefined;
  });
  const moved = grown(before, during);
  expect(during.value("realmwire_players")).toBe(3);
  expect(during.value("realmwire_ready")).toBe(1);
  expect(moved("calls_total", { method: `${WORLD}/New`, code: "ok" })).toBe(3);
  expect(moved("call_duration_seconds_count", { method: `${WORLD}/New` })).toBe(3);
  // A password was hashed for each.
  expect(moved("call_duration_seconds_sum", { method: `${WORLD}/New` })).toBeGreaterThan(0.01);
  expect(moved("calls_total", { method: `${WORLD}/Get`, code: "ok" })).toBe(3);
  expect(moved("calls_total", { method: `${WORLD}/Get`, code: "not_found" })).toBe(1);
  expect(moved("refusals_total", { reason: "ATTRIBUTE_UNKNOWN" })).toBe(1);
  expect(moved("connections_open", { protocol: "http2", tls: "false" })).toBeGreaterThan(0);
  expect(moved("connections_total", { protocol: "http1", tls: "false" })).toBeGreaterThan(0);
  expect(moved("received_bytes_total")).toBeGreaterThan(500);
  expect(moved("sent_bytes_total")).toBeGreaterThan(500);
  expect(moved("store_operation_duration_seconds_count", { operation: "createAccount" })).toBe(3);
  expect(moved("store_operation_duration_seconds_sum")).toBeGreaterThan(0);
  expect(moved("zone_tick_duration_seconds_count", { zone: "town" })).toBeGreaterThan(2);
  expect(moved("zone_tick_duration_seconds_sum", { zone: "town" })).toBeGreaterThan(0);
  expect(moved("zone_tick_lateness_seconds_count", { zone: "town" })).toBeGreaterThan(2);
  expect(moved("zone_tick_duration_seconds_count", { zone: "meadow" })).toBe(0);
  expect(during.value("realmwire_zone_characters", { zone: "town" })).toBe(3);
  expect(during.value("realmwire_zone_running", { zone: "town" })).toBe(1);
  expect(during.value("realmwire_tick_rate_hertz")).toBe(10);

  await input.finish();
  const cursor = watcher.messages.at(-1)?.cursor ?? "";
  for (const player of [ann, ben, cal]) player.close();
  await eventually("the streams to end", async () => {
    const now = await scrape(server.metricsPort);
    return grown(during, now)("calls_total", { method: `${WORLD}/Update` }) === 1;
  });

  // Nobody reads what Ann's viewer keeps for her, and then she comes back with a cursor that never was.
  const town = server.server.zones.running("town");
  for (let i = 0; i < SAID; i++) {
    const value = { name: ben.name, text: `word ${i}`, shout: true };
    await town?.apply(create(InputSchema, { kind: { case: "say", value } }));
  }
  const dropped = await eventually("events to be dropped", async () => {
    const now = await scrape(server.metricsPort);
    return grown(during, now)("view_events_dropped_total") > 250 ? now : undefined;
  });
  const [key, , tick] = cursor.split(".");
  const back = ann.watch(`${key}.zzzzz.${tick}`);
  await back.ticks(1);
  const after = await scrape(server.metricsPort);
  expect(grown(dropped, after)("views_resynchronised_total")).toBe(1);
  expect(after.value("realmwire_calls_open", { method: `${WORLD}/New` })).toBe(0);
  ann.close();
});

test("warnings and errors of the log are counted, and a connection's bytes stay counted when it is closed", async () => {
  const before = await scrape(server.metricsPort);
  const answer = await fetch(`${server.baseUrl}/healthz`, { headers: { connection: "close" } });
  await answer.text();
  const after = await eventually("the bytes to be counted", async () => {
    const now = await scrape(server.metricsPort);
    return grown(before, now)("sent_bytes_total") > 0 ? now : undefined;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const later = await scrape(server.metricsPort);
  expect(grown(after, later)("sent_bytes_total")).toBeGreaterThanOrEqual(0);
  const warned = server.troubles.length;
  expect(later.value("realmwire_log_lines_total")).toBe(warned);
});

test("names follow Prometheus' conventions, and labels have bounded values", async () => {
  const { types, labels, text } = await scrape(server.metricsPort);
  expect(types.size).toBeGreaterThan(20);
  for (const [name, type] of types) {
    expect(name, name).toMatch(/^realmwire_[a-z_]+$/);
    expect(name.endsWith("_total"), name).toBe(type === "counter");
    if (type === "histogram") expect(name).toMatch(/_seconds$/);
    expect(text).toContain(`# HELP ${name} `);
  }
  expect(labels("realmwire_zone_running", "zone")).toEqual(new Set(["meadow", "town"]));
  const methods = labels("realmwire_calls_total", "method");
  expect(methods).toContain(`${WORLD}/Version`);
  for (const method of methods) expect(method).toMatch(/^[a-z]+\.v1\.\w+Service\/\w+$/);
  await fetch(`${server.baseUrl}/${WORLD}/Nonsense`, { method: "POST" });
  expect((await scrape(server.metricsPort)).labels("realmwire_calls_total", "method")).toEqual(
    methods,
  );
});

test("the port of the players tells no metrics, and that of the metrics nothing else", async () => {
  expect((await fetch(`${server.baseUrl}/metrics`)).status).toBe(404);
  const base = `http://127.0.0.1:${server.metricsPort}`;
  expect((await fetch(`${base}/${WORLD}/Version`)).status).toBe(404);
  expect((await fetch(`${base}/metrics`, { method: "POST" })).status).toBe(405);
  const head = await fetch(`${base}/metrics`, { method: "HEAD" });
  expect(head.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
});

test("a server as people run it tells of its process too; a port in use is named", async () => {
  let running: ChildServer | undefined;
  try {
    running = runServer(serverArgs(await folders.next(), "--metrics-port", "0"));
    const { baseUrl } = await running.ready();
    const line = running.log.find(({ msg }) => msg.startsWith("metrics:"));
    const metricsPort = Number(line?.["metricsPort"]);
    expect(line?.msg).toBe(`metrics: http://127.0.0.1:${metricsPort}/metrics`);
    await registerPlayer(baseUrl, "Dan");
    const read = await scrape(metricsPort);
    expect(read.value("process_cpu_seconds_total")).toBeGreaterThan(0);
    expect(read.value("process_resident_memory_bytes")).toBeGreaterThan(1e6);
    expect(read.value("nodejs_eventloop_lag_p99_seconds")).toBeGreaterThan(0);
    expect(read.value("realmwire_build_info", { game: "meadow" })).toBe(1);
    const second = runServer(
      serverArgs(await folders.next(), "--metrics-port", String(metricsPort)),
    );
    expect(await second.ended()).toEqual({ code: 1, signal: null });
    expect(second.stderr).toContain(`port ${metricsPort} at 127.0.0.1 is in use`);
    expect(second.stderr).toContain("--metrics-port");
  } finally {
    await running?.dispose();
  }
});
