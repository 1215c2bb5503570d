import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeAccounts } from "./calls/accounts.ts";
import { startCallsServer } from "./calls/context.ts";
import type { CallsServer } from "./calls/context.ts";
import { describeGate } from "./calls/gate.ts";

// One server for all suites: a fresh database takes longer than most of them.
let server: CallsServer;

beforeAll(async () => {
  server = await startCallsServer();
});

afterAll(async () => {
  await server?.dispose();
});

describe("the gate", () => describeGate(() => server));
describe("accounts", () => describeAccounts(() => server));

test("nothing of all this was worth a warning in the log", () => {
  expect(server.troubles).toEqual([]);
});
