import { fromBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  EditRequestSchema,
  LoginRequestSchema,
  NewRequestSchema,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { DEV_PASSWORD, startTestServer } from "../../test/support/server.ts";
import type { TestServer } from "../../test/support/server.ts";
import { openCaller } from "./caller.ts";
import { startCrew } from "./crew.ts";
import { summarize } from "./measure.ts";
import type { LoadedStretch } from "./measure.ts";
import { PASSWORD } from "./order.ts";
import { writeUnaryReport } from "./report.ts";
import { createRequests } from "./requests.ts";

let server: TestServer;
const tokens: string[] = [];

beforeAll(async () => {
  server = await startTestServer();
  for (const name of ["ada", "bob"]) {
    const credentials = { name, password: DEV_PASSWORD };
    const { token } = await server.server.accounts.login(credentials, "127.0.0.1");
    tokens.push(token);
  }
});

afterAll(() => server.dispose());

test("a crew calls as fast as it is answered, and every Set that was acknowledged was made", async () => {
  const people = { port: server.port, callers: tokens, builders: [], logins: [] };
  for (const [call, connections] of [
    ["New", 1],
    ["Get", 2],
    ["Set", 2],
  ] as const) {
    const crew = await startCrew(people, { [call]: connections }, "crew");
    crew.reset();
    const deadline = performance.now() + 20_000;
    while ((crew.results(1)[0]?.perSecond ?? 0) < 3 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const [result] = crew.results(1);
    await crew.stop();
    expect(result).toMatchObject({ call, connections });
    expect(result?.perSecond).toBeGreaterThanOrEqual(3);
    expect(result?.p50).toBeLessThanOrEqual(result?.p99 ?? 0);
  }
});

test("a call that fails is told", async () => {
  const people = { port: server.port, callers: ["wrong"], builders: [], logins: [] };
  const crew = await startCrew(people, { Get: 1 }, "crew");
  await expect(crew.stop()).rejects.toThrow(/Get: answered by 401/);
  const caller = await openCaller(server.port, "Edit", tokens[0] ?? "");
  await expect(caller.ask(createRequests("Edit", 0, "")())).rejects.toThrow(
    /Edit: answered by 403/,
  );
  caller.close();
});

test("requests are what the calls take", () => {
  const login = fromBinary(LoginRequestSchema, createRequests("Login", 0, "ada")());
  expect(login).toMatchObject({ name: "ada", password: PASSWORD });
  const news = createRequests("New", 3, "n");
  const names = [news(), news()].map((bytes) => fromBinary(NewRequestSchema, bytes).name);
  expect(names).toEqual(["n-3-1", "n-3-2"]);
  const edits = createRequests("Edit", 0, "");
  const blocked = [edits(), edits()].map(
    (bytes) => fromBinary(EditRequestSchema, bytes).commands[0]?.kind.value,
  );
  expect(blocked).toMatchObject([{ blocked: true }, { blocked: false }]);
});

test("ticks are late when they come more than one and a half periods after the one before", () => {
  const ticks = [
    { at: 0, waitedMs: 0 },
    { at: 100, waitedMs: 0 },
    { at: 200, waitedMs: 0 },
    { at: 351, waitedMs: 0 },
    { at: 400, waitedMs: 0 },
    { at: 560, waitedMs: 20 },
    { at: 660, waitedMs: 25 },
    { at: 900, waitedMs: 25 },
  ];
  const stretch = { begun: 150, ended: 700 };
  const figures = { count: 5, p99: 160, longest: 160, late: 2 };
  expect(summarize(ticks, stretch)).toEqual({ ...figures, lateByItself: 1 });
  const untold = ticks.map(({ at }) => ({ at, waitedMs: Number.NaN }));
  expect(summarize(untold, stretch)).toEqual({ ...figures, lateByItself: 2 });
});

test("the report has the calls beside what was done without a server, and the late ticks", () => {
  const stretch: LoadedStretch = {
    name: "Set",
    begun: 0,
    ended: 1,
    calls: [{ call: "Set", connections: 100, perSecond: 3000, p50: 10, p99: 20 }],
    intervalP99: 101,
    intervalMax: 102,
    serverCpu: 0.5,
    otherThreadsCpu: 0.1,
    mainWaited: 0.2,
    generatorCpu: 0.9,
    ticks: { count: 40, p99: 103, longest: 170, late: 1, lateByItself: 1 },
  };
  const report = writeUnaryReport(
    { date: "2026-11-21", machine: "a machine", seconds: 4 },
    [
      {
        database: "pglite",
        stretches: [stretch],
        alone: [
          { what: "save", perSecond: 1500 },
          { what: "batch", perSecond: 6000 },
        ],
      },
    ],
    "Left out: PostgreSQL.",
  );
  expect(report).toContain(
    "| Set (generator busy) | Set | 100 | 3000 | 10.0 | 20.0 | 2.00 × save, 0.50 × batch |",
  );
  expect(report).toContain("Ticks: 1 of 40 late");
  expect(report).toContain("| **1** |");
  expect(report).toContain("Left out: PostgreSQL.");
});
