import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { AccountService } from "../../gen/ts/realmwire/v1/account_service_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createDataFolders, type DataFolders } from "../support/data-folders.ts";
import { admin } from "../support/admin-command.ts";
import { type ChildServer, runServer, serverArgs } from "../support/child-server.ts";
import { failureOf, loginPlayer, readFailure, untilEnd } from "../support/player.ts";
import { clientFor, createTransport, DEV_PASSWORD } from "../support/server.ts";

let folders: DataFolders;
let state: string;
let server: ChildServer;
let baseUrl: string;

beforeAll(async () => {
  folders = await createDataFolders();
  state = await mkdtemp(join(tmpdir(), "admin-state-"));
});
beforeEach(async () => {
  server = runServer(serverArgs(await folders.next(), "--drain-ms", "100"));
  ({ baseUrl } = await server.ready());
});
afterEach(() => server.dispose());
afterAll(async () => {
  await folders.dispose();
  await rm(state, { recursive: true });
});

const run = (...args: string[]) =>
  admin(args, {
    ...{ REALMWIRE_URL: baseUrl, XDG_STATE_HOME: state },
    ...{ REALMWIRE_USER: "admin", REALMWIRE_PASSWORD: DEV_PASSWORD },
  });

test("[JW-12] a drain refuses logins, counts down for the players, then the server stops and exits with 0", async () => {
  const ada = await loginPlayer(baseUrl, "ada");
  const watcher = ada.watch();
  await watcher.until("a scene", () => watcher.scenes.length > 0);
  await run("drain", "--in", "6s", "--reason", "an update", "--yes");
  const drains = () => watcher.flags.flatMap((flag) => (flag.case === "drain" ? [flag.value] : []));
  await watcher.until("the first flag", () => drains().length > 0);
  const world = createClient(WorldService, createTransport(baseUrl, "connect"));
  const refusals = [
    await failureOf(world.login({ name: "bob", password: DEV_PASSWORD })),
    await failureOf(world.new({ name: "newcomer", password: DEV_PASSWORD })),
  ];
  // A tool comes in, but not as a player.
  const { token } = await world.login({ name: "bob", password: DEV_PASSWORD, noCharacter: true });
  const account = clientFor(AccountService, baseUrl, token);
  refusals.push(await failureOf(account.selectCharacter({ name: "bob" })));
  for (const { reason, message, detail } of refusals) {
    expect(reason).toBe(ErrorReason.DRAINING);
    expect(message).toContain("an update");
    expect(detail?.retryDelay?.seconds).toBeGreaterThan(0n);
  }
  expect((await fetch(`${baseUrl}/readyz`)).status).toBe(503);
  // Who is there goes on playing.
  expect((await ada.move("direction", { x: 0.1, y: 0 })).moved).toBe(true);
  expect(readFailure(await untilEnd(watcher)).reason).toBe(ErrorReason.DRAINING);
  const left = drains().map(({ stopsInMs }) => stopsInMs);
  expect(left.length).toBeGreaterThan(4);
  expect(left).toEqual(left.toSorted((a, b) => b - a));
  expect(new Set(drains().map(({ reason }) => reason))).toEqual(new Set(["an update"]));
  expect(await server.ended()).toEqual({ code: 0, signal: null });
  const audit = server.log.filter(({ audit: action }) => action !== undefined);
  expect(audit).toMatchObject([
    { audit: "Drain", admin: "admin", stopsInMs: 6_000, reason: "an update" },
  ]);
});

test("a drain is taken back: logins are let in again, and the players know", async () => {
  const ada = await loginPlayer(baseUrl, "ada");
  const watcher = ada.watch();
  await watcher.until("a scene", () => watcher.scenes.length > 0);
  await run("drain", "--in", "1h", "--yes");
  // Also after the session of the tool has ended: a tool is let in.
  await run("logout");
  expect(await run("drain", "--cancel")).toBe("the server goes on\n");
  await watcher.until("the flag", () =>
    watcher.flags.some((flag) => flag.case === "drain" && flag.value.canceled),
  );
  await loginPlayer(baseUrl, "bob");
  expect((await fetch(`${baseUrl}/readyz`)).status).toBe(200);
  expect(await run("drain", "--cancel")).toBe("the server was not about to stop\n");
  ada.close();
});
