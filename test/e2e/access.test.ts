import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe } from "vitest";
import { writeProbeGame } from "../support/probe-game.ts";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { describeAttributeAccess } from "./access/attributes.ts";
import { describeCallAccess } from "./access/calls.ts";
import { describeStrangers } from "./access/strangers.ts";

let game: string;
let server: TestServer;

beforeAll(async () => {
  game = await writeProbeGame();
  server = await startTestServer({ args: { game } });
});

afterAll(async () => {
  await server?.dispose();
  await rm(game, { recursive: true, force: true });
});

describe("every call × who calls", () => {
  describeCallAccess(() => server);
});
describe("every attribute × who asks", () => {
  describeAttributeAccess(() => server);
});
describe("every call × what belongs to somebody else", () => {
  describeStrangers(() => server);
});
