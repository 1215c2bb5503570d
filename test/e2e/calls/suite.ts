import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Way } from "../../support/counted-way.ts";
import type { Protocol } from "../../support/server.ts";
import { describeWay } from "../way-suite.ts";
import { describeAccounts } from "./accounts.ts";
import { describeAttributes } from "./attributes.ts";
import { loadOwnServices, startCallsServer } from "./context.ts";
import type { CallsServer } from "./context.ts";
import { describeEditRules } from "./edit-rules.ts";
import { describeEdits } from "./edits.ts";
import { describeGate } from "./gate.ts";
import { describeInputs } from "./inputs.ts";
import { describeInterest } from "./interest.ts";
import { describeMoves } from "./moves.ts";
import { describeUpdates } from "./updates.ts";
import { describeUpgrades } from "./upgrades.ts";

/** What the suites of the calls are run on. */
export interface CallsOptions {
  /** Threads for zones. */
  readonly threads: string;
  readonly way: Way;
  /** What clients speak: with several, each test has its own by the length of its name, the same in each run and on each server. */
  readonly protocols: readonly Protocol[];
}

const services = await loadOwnServices();

/** All calls on one server. */
export function describeCalls({ threads, way, protocols }: CallsOptions): void {
  // One server for all suites: a fresh database takes longer than most of them.
  let server: CallsServer;

  beforeAll(async () => {
    server = await startCallsServer(threads, way);
  });

  beforeEach(({ task }) => {
    server.speak(protocols[task.name.length % protocols.length] ?? "connect");
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
  describe("interest", () => {
    describeInterest(() => server);
  });
  describe("Upgrade", () => {
    describeUpgrades(() => server);
  });

  describe("the way", () => {
    describeWay(() => server, { way, services });
  });

  test("nothing of all this was worth a warning in the log", () => {
    expect(server.troubles).toEqual([]);
  });
}
