import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { describeAccounts } from "./accounts.ts";
import { describeAttributes } from "./attributes.ts";
import { startCallsServer } from "./context.ts";
import type { CallsServer } from "./context.ts";
import { describeEditRules } from "./edit-rules.ts";
import { describeEdits } from "./edits.ts";
import { describeGate } from "./gate.ts";
import { describeInputs } from "./inputs.ts";
import { describeMoves } from "./moves.ts";
import { describeUpdates } from "./updates.ts";
import { describeUpgrades } from "./upgrades.ts";

/** All calls on one server, with so many threads for zones. */
export function describeCalls(threads: string): void {
  // One server for all suites: a fresh database takes longer than most of them.
  let server: CallsServer;

  beforeAll(async () => {
    server = await startCallsServer(threads);
  });

  afterEach(async () => {
    await server.dismiss();
  });

  afterAll(async () => {
    await server?.dispose();
  });

  describe("the gate", () => {
    describeGate(() => server);
  });
  describe("accounts", () => {
    describeAccounts(() => server);
  });
  describe("attributes", () => {
    describeAttributes(() => server);
  });
  describe("Move", () => {
    describeMoves(() => server);
  });
  describe("Input", () => {
    describeInputs(() => server);
  });
  describe("Edit", () => {
    describeEdits(() => server);
    describeEditRules(() => server);
  });
  describe("Update", () => {
    describeUpdates(() => server);
  });
  describe("Upgrade", () => {
    describeUpgrades(() => server);
  });

  test("nothing of all this was worth a warning in the log", () => {
    expect(server.troubles).toEqual([]);
  });
}
