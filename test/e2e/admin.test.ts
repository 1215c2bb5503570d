import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ChatKind, type ChatMessage } from "../../gen/ts/realmwire/v1/chat_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { admin, runAdmin } from "../support/admin-command.ts";
import {
  failureOf,
  loginPlayer,
  readFailure,
  registerPlayer,
  untilEnd,
} from "../support/player.ts";
import { DEV_PASSWORD, startTestServer, type TestServer } from "../support/server.ts";

let server: TestServer;
let state: string;

beforeAll(async () => {
  server = await startTestServer();
  state = await mkdtemp(join(tmpdir(), "admin-state-"));
});
afterAll(async () => {
  await server.dispose();
  await rm(state, { recursive: true });
});

const as = (user: string, password = DEV_PASSWORD): NodeJS.ProcessEnv => ({
  REALMWIRE_URL: server.baseUrl,
  REALMWIRE_USER: user,
  REALMWIRE_PASSWORD: password,
  XDG_STATE_HOME: state,
});
const run = (...args: string[]) => admin(args, as("admin"));

test("[SM-3] an admin's command answers an admin, and refuses everyone else, with exit codes that say why", async () => {
  expect(await run("users", "--prefix", "ad")).toMatch(/^NAME .*\nada +player .*\nadmin +admin /);
  const refused = await Promise.all([
    runAdmin(["users"], as("builder")),
    runAdmin(["login"], as("admin", "a wrong one")),
    runAdmin(["users", "show", "nobody"], as("admin")),
    runAdmin(["users", "role", "ada", "king"], as("admin")),
    runAdmin(["users"], { ...as("admin"), REALMWIRE_URL: "http://127.0.0.1:1" }),
  ]);
  expect(refused.map(({ code, stderr }) => [code, stderr.split("\n")[0]])).toEqual([
    [1, "builder is no admin"],
    [1, "the name or the password is wrong"],
    [1, 'there is no account "nobody"'],
    [2, '"king" is no role: player, builder or admin'],
    [3, expect.stringContaining("no server answers")],
  ]);
  const player = await loginPlayer(server.baseUrl, "ada");
  const answer = await runAdmin(["users"], { ...as("ada"), REALMWIRE_TOKEN: player.token });
  expect(answer).toMatchObject({ code: 1, stderr: expect.stringContaining("needs ROLE_ADMIN") });
});

test("[SM-4] the session is kept for its owner alone, goes on, and ends with logout", async () => {
  expect(await run("login")).toContain("admin is logged in");
  const files = await readdir(join(state, "realmwire/admin"));
  expect(files).toHaveLength(1);
  expect((await stat(join(state, "realmwire/admin", files[0] ?? ""))).mode & 0o777).toBe(0o600);
  const { REALMWIRE_PASSWORD: _, ...withoutPassword } = as("admin");
  await admin(["users"], withoutPassword);
  expect(await admin(["logout"], withoutPassword)).toBe("logged out\n");
  const out = await runAdmin(["users"], withoutPassword);
  expect(out).toMatchObject({ code: 2, stderr: expect.stringContaining("a password is needed") });
});

test("an admin's login replaces nobody, not even the admin's own character in the world", async () => {
  const playing = await loginPlayer(server.baseUrl, "admin");
  const watcher = playing.watch();
  await watcher.until("a scene", () => watcher.scenes.length > 0);
  await run("logout");
  await run("login");
  await watcher.ticks(2);
  expect(watcher.end).toBeUndefined();
  playing.close();
});

test("a role is changed, and counts at once; the answer is readable by programs", async () => {
  const builder = await registerPlayer(server.baseUrl, "role");
  const edit = () => builder.world.edit({ commands: [], dryRun: true, undoRevision: 99 });
  expect((await failureOf(edit())).reason).toBe(ErrorReason.ROLE_TOO_LOW);
  const printed = await run("users", "role", builder.name, "builder", "--json");
  expect(JSON.parse(printed)).toMatchObject({
    user: { account: { name: builder.name, role: "ROLE_BUILDER" } },
  });
  expect((await failureOf(edit())).reason).not.toBe(ErrorReason.ROLE_TOO_LOW);
  const unsure = await runAdmin(["users", "role", builder.name, "admin"], as("admin"));
  expect(unsure).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") });
  const own = await runAdmin(["users", "role", "admin", "player", "--json"], as("admin"));
  expect(JSON.parse(own.stderr)).toMatchObject({ error: { reason: "NOT_TO_ONESELF" } });
});

test("who forgot the password gets a new one, which is printed once; the old one and the sessions are over", async () => {
  const player = await registerPlayer(server.baseUrl, "forgot");
  const printed = await run("users", "reset-password", player.name, "--character");
  const [, password] = /shown this once: (\S+)\n$/.exec(printed) ?? [];
  expect(password).toMatch(/^[a-z]{4}(-[a-z]{4}){4}$/);
  expect((await failureOf(player.position())).reason).toBe(ErrorReason.KICKED);
  const old = await failureOf(loginPlayer(server.baseUrl, player.name));
  expect(old.reason).toBe(ErrorReason.CREDENTIALS_WRONG);
  const again = await loginPlayer(server.baseUrl, player.name, { password: password ?? "" });
  await again.account.changePassword({
    oldPassword: password ?? "",
    newPassword: DEV_PASSWORD,
  });
  again.close();
  const own = await runAdmin(["users", "reset-password", "admin", "--json"], as("admin"));
  expect(JSON.parse(own.stderr)).toMatchObject({ error: { reason: "NOT_TO_ONESELF" } });
});

test("a kicked player's stream and calls end with the reason, and the player comes back", async () => {
  const player = await registerPlayer(server.baseUrl, "kicked");
  const watcher = player.watch();
  await watcher.until("a scene", () => watcher.scenes.length > 0);
  expect(await run("users", "show", player.name, "--character")).toMatch(/town +online/);
  await run("kick", player.name, "--character", "--reason", "mind your language");
  const kicked = {
    code: Code.Unauthenticated,
    reason: ErrorReason.KICKED,
    metadata: { reason: "mind your language" },
  };
  expect(readFailure(await untilEnd(watcher))).toMatchObject(kicked);
  expect(await failureOf(player.move("offset", { x: 1, y: 0 }))).toMatchObject(kicked);
  expect(server.server.zones.running("town")?.read(player.name)).toBeUndefined();
  const again = await loginPlayer(server.baseUrl, player.name);
  expect((await again.position()).x).toBeGreaterThan(0);
  again.close();
});

test("a banned player's stream, calls and logins end with the reason and the end of the ban", async () => {
  const player = await registerPlayer(server.baseUrl, "banned");
  const watcher = player.watch();
  await watcher.until("a scene", () => watcher.scenes.length > 0);
  const printed = await run(
    ...["ban", player.name, "--reason", "spam", "--for", "2h", "--yes", "--json"],
  );
  const { ban } = (JSON.parse(printed) as { user: { ban: { until: string; by: string } } }).user;
  expect(ban.by).toBe("admin");
  const banned = { code: Code.PermissionDenied, reason: ErrorReason.ACCOUNT_BANNED };
  const failures = [
    readFailure(await untilEnd(watcher)),
    await failureOf(player.position()),
    await failureOf(loginPlayer(server.baseUrl, player.name)),
  ];
  for (const failure of failures) {
    expect(failure).toMatchObject({ ...banned, metadata: { reason: "spam" } });
    expect(Date.parse(failure.metadata["until"] ?? "")).toBe(Date.parse(ban.until));
  }
  expect(await run("users", "--banned")).toContain(player.name);
  expect(await run("unban", player.name)).toBe(`${player.name} may log in\n`);
  await loginPlayer(server.baseUrl, player.name);
  const forGood = await run("ban", player.name, "--character", "--reason", "again", "--yes");
  expect(forGood).toContain("banned for good: again");
});

test("an announcement reaches everybody, or a zone, and stays in the history", async () => {
  const player = await registerPlayer(server.baseUrl, "hearer");
  const watcher = player.watch();
  await watcher.until("a scene", () => watcher.scenes.length > 0);
  await run("announce", "the", "gates", "close");
  // The crier of the town talks too.
  const isAnnouncement = ({ kind }: ChatMessage) => kind === ChatKind.ANNOUNCEMENT;
  const heard = await watcher.until("the announcement", () => watcher.heard.find(isAnnouncement));
  expect(heard).toMatchObject({ from: "", text: "the gates close" });
  expect(await run("announce", "nobody hears it", "--zone", "meadow")).toContain("0 characters");
  await run("announce", "in town only", "--zone", "town");
  await watcher.until("the second", () => watcher.heard.filter(isAnnouncement).length > 1);
  const { messages } = await player.chat.listMessages({});
  expect(messages.filter(isAnnouncement).map(({ text }) => text)).toEqual([
    ...["in town only", "the gates close"],
  ]);
  const unknown = await runAdmin(["announce", "hi", "--zone", "nowhere"], as("admin"));
  expect(unknown).toMatchObject({ code: 1, stderr: 'there is no zone "nowhere"\n' });
  player.close();
});

test("a release is published", async () => {
  const unknown = await runAdmin(["publish", "godot", "1.0.0"], as("admin"));
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining("platform: godot") });
  const { clients } = await (await loginPlayer(server.baseUrl, "bob")).world.version({});
  const current = clients.find(({ platform }) => platform === "typescript")?.version ?? "";
  expect(await run("publish", "typescript", current)).toContain(`typescript ${current} is current`);
});

test.each([
  "",
  "users",
  "users list",
  "ban",
  "drain",
  "backup",
  "restore",
  "create-admin",
  "replay",
])("`%s --help` tells how it is used", async (command) => {
  const { code, stdout } = await runAdmin([...command.split(" ").filter(Boolean), "--help"]);
  expect(code).toBe(0);
  expect(stdout).toContain(`Usage: realmwire-admin ${command}`.trim());
  expect(stdout).toContain("--url <url>");
});
