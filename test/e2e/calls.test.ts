import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { describeAccounts } from "./calls/accounts.ts";
import { describeAttributes } from "./calls/attributes.ts";
import { startCallsServer } from "./calls/context.ts";
import type { CallsServer } from "./calls/context.ts";
import { describeEditRules } from "./calls/edit-rules.ts";
import { describeEdits } from "./calls/edits.ts";
import { describeGate } from "./calls/gate.ts";
import { describeInputs } from "./calls/inputs.ts";
import { describeMoves } from "./calls/moves.ts";
import { describeUpdates } from "./calls/updates.ts";
import { describeUpgrades } from "./calls/upgrades.ts";

describe.each(["0", "2"])("with %s threads", (threads) => {
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
});
