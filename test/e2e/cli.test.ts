import { execFile } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createRealmwire } from "../../clients/ts/index.ts";
import { createCertificateFolder } from "../support/certificate.ts";
import { createCliUser } from "../support/cli.ts";
import type { CliUser } from "../support/cli.ts";
import { DEV_PASSWORD, root, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

/** Each run is a process of its own, and machines that test are busy. */
vi.setConfig({ testTimeout: 60_000 });

let server: TestServer;
let zoe: CliUser;
const users: CliUser[] = [];

beforeAll(async () => {
  server = await startTestServer();
  zoe = await newUser();
  await zoe.run(["register", "zoe"], { env: { REALMWIRE_PASSWORD: "open sesame" } });
});

afterAll(async () => {
  await Promise.all(users.map((user) => user.dispose()));
  await server.dispose();
});

async function newUser(url = server.baseUrl): Promise<CliUser> {
  const user = await createCliUser(url);
  users.push(user);
  return user;
}

/** Runs a command that succeeds, and gives what it printed. */
async function done(user: CliUser, ...words: string[]): Promise<string> {
  const { stdout, stderr, code } = await user.run(words);
  expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  return stdout;
}

/** Runs commands that all succeed in one process, and gives the lines that they printed. */
async function script(user: CliUser, ...commands: string[]): Promise<string[]> {
  const { stdout, stderr, code } = await user.run([], { input: commands.join("\n") });
  expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  return stdout.trimEnd().split("\n");
}

/** Where `look` says that its caller is. */
const placeOf = (printed: string) =>
  (data(printed) as { position: { x: number; y: number } }).position;

const data = (printed: string): unknown => JSON.parse(printed) as unknown;

test("[JW-8] [SM-27] one command makes a user, and the next ones know who it is", async () => {
  const user = await newUser();
  const made = await user.run(["register", "Yann", "yann@example.org"], { input: "open sesame\n" });
  expect(made).toEqual({
    stdout: "Logged in as Yann (player), playing Yann.\n",
    stderr: "",
    code: 0,
  });
  expect(data(await done(user, "--json", "whoami"))).toEqual({
    account: "Yann",
    role: "player",
    character: "Yann",
  });
  const folder = join(user.stateDir, "realmwire");
  const [file = "", ...others] = await readdir(folder);
  expect(others).toEqual([]);
  expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
  await done(user, "logout");
  expect(await readdir(folder)).toEqual([]);
  expect(await user.run(["whoami"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("log in first"),
  });
});

test("[JW-8] the ready-made test users log in, each in a file of its own with --user", async () => {
  const user = await newUser();
  for (const name of ["ada", "bob"]) {
    const { code } = await user.run(["--user", name, "login", name], {
      input: `${DEV_PASSWORD}\n`,
    });
    expect(code).toBe(0);
  }
  expect(await done(user, "--user", "ada", "whoami")).toContain("playing ada");
  expect(await done(user, "--user", "bob", "whoami")).toContain("playing bob");
});

test("[SM-27] characters are listed, made, played and deleted", async () => {
  const printed = await script(
    zoe,
    "characters new zoe-two",
    "play zoe-two",
    "characters",
    "play zoe",
    "characters delete zoe-two",
  );
  expect(printed).toEqual([
    "zoe-two is made. `play zoe-two` plays it.",
    "You play zoe-two, in town.",
    expect.stringMatching(/^ {2}zoe in town/),
    expect.stringMatching(/^▸ zoe-two in town/),
    expect.stringMatching(/^You play zoe, in town/),
    "zoe-two is deleted.",
  ]);
  expect(data(await done(zoe, "--json", "characters"))).toEqual([
    expect.objectContaining({ name: "zoe", selected: true }),
  ]);
});

test("[SM-27] the map is drawn, and a thing is told of by id, by the beginning and by a part of its name", async () => {
  const drawn = await done(zoe, "look");
  expect(drawn.split("\n")[0]).toMatch(/^town · \d/);
  expect(drawn).toContain("@ you");
  expect(drawn).toContain("W well");
  // What is no terminal gets no colours.
  expect(drawn).not.toContain("\u001B");

  const { id } = data(await done(zoe, "--json", "look", "well")) as { id: number };
  const well = new RegExp(`^ *${id} well, object well, at \\d`);
  const told = await script(zoe, `look ${id}`, "look wel", "look ell", "look signpost");
  expect(told.filter((line) => well.test(line))).toHaveLength(3);
  expect(told.join("\n")).toMatch(/\d+ things fit:\n.*signpost-inn/s);
  expect(await zoe.run(["look", "unicorn"])).toMatchObject({ code: 1 });
});

test("[SM-27] messages are shown with time and sender", async () => {
  expect(await done(zoe, "say", "hello", "there")).toMatch(/^\d\d:\d\d:\d\d zoe: hello there\n$/);
  const bob = createRealmwire({ baseUrl: server.baseUrl });
  await bob.login("bob", DEV_PASSWORD);
  await bob.connect().ready();
  await script(zoe, "shout hey", "tell bob a word");
  bob.close();
  const lines = await script(zoe, "messages");
  expect(lines.map((line) => line.replace(/^\d\d:\d\d:\d\d /, ""))).toEqual(
    expect.arrayContaining(["zoe: hello there", "zoe shouts: hey", "zoe → bob: a word"]),
  );
  expect(data(await done(zoe, "--json", "messages"))).toContainEqual(
    expect.objectContaining({ kind: "tell", from: "zoe", to: "bob", text: "a word" }),
  );
});

test("attributes are read and changed, walks are waited for", async () => {
  expect(await done(zoe, "set", "mood", "=", "very", "happy")).toBe("mood  very happy\n");
  const changed = await script(zoe, "set steps = 5", "set steps -= 2", "get script of well");
  expect(changed).toEqual(["steps  5", "steps  3", "script  well"]);
  expect(data(await done(zoe, "--json", "get", "mood", "steps"))).toEqual({
    mood: "very happy",
    steps: 3,
  });
  const before = placeOf(await done(zoe, "--json", "look"));
  expect(data(await done(zoe, "--json", "walk", "south", "2"))).toMatchObject({ arrived: true });
  const after = placeOf(await done(zoe, "--json", "look"));
  expect(after.y - before.y).toBeCloseTo(2, 0);
  expect(after.x).toBeCloseTo(before.x, 0);
});

test("a builder edits and takes it back; others are refused", async () => {
  const builder = await newUser();
  await builder.run(["login", "builder"], { input: `${DEV_PASSWORD}\n` });
  const edited = await script(
    builder,
    'edit put notice signpost 30 24 text="New words."',
    "get text of notice",
    "edit check remove notice",
    "edit remove notice",
  );
  expect(edited).toEqual([
    expect.stringMatching(/^revision \d+, /),
    "text  New words.",
    expect.stringMatching(/^Tried only: revision/),
    expect.stringMatching(/^revision \d+, /),
  ]);
  const json = await zoe.run(["--json", "edit", "remove", "well"]);
  expect(json).toMatchObject({ code: 1, stdout: "" });
  expect(JSON.parse(json.stderr)).toMatchObject({ error: { reason: "ROLE_TOO_LOW" } });
});

test("[SM-30] version tells the commit of the server that runs", async () => {
  expect(data(await done(zoe, "--json", "version"))).toMatchObject({
    game: "meadow",
    server: "0.0.0-test",
    commit: "test",
  });
});

test("[PY-15] wrong lines are refused one by one, and those after them still run", async () => {
  const input = [
    "whoami",
    "nonsense",
    "set",
    "# a comment",
    "",
    "\u0000\u001B[2J",
    'say "x',
    "say last",
  ];
  const { stdout, stderr, code } = await zoe.run([], { input: input.join("\n") });
  expect(code).toBe(2);
  expect(stdout).toMatch(/playing zoe\.\n.*zoe: x\n.*zoe: last\n$/s);
  expect(stderr).toContain('no command "nonsense"');
  expect(stderr).toContain("set <attribute>");
  expect(stderr).not.toContain("\u001B");
});

test("[PY-15] what others wrote cannot act on the terminal", async () => {
  const client = createRealmwire({ baseUrl: server.baseUrl });
  await client.login("bob", DEV_PASSWORD);
  await client.tell("zoe", "red \u009B31m \u202Eback");
  const printed = await done(zoe, "messages", "1");
  expect(printed).toContain("bob → zoe: red �31m �back");
  client.close();
});

test("[AL-18] a wrong address fails in seconds, with words that say what to do", async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => {
    closed.listen(0, "127.0.0.1", resolve);
  });
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => {
    closed.close(resolve);
  });
  const user = await newUser(`http://127.0.0.1:${port}`);
  const { stdout, stderr, code } = await user.run(["version"]);
  expect({ stdout, code }).toEqual({ stdout: "", code: 3 });
  expect(stderr).toContain(`No server answers at http://127.0.0.1:${port}`);
  expect(stderr).toContain("npm start");
});

test("[AL-18] where only one side speaks TLS, or does not trust the other, it says what to do", async () => {
  const { certFile, keyFile, dispose } = await createCertificateFolder();
  const secure = await startTestServer({ args: { "tls-cert": certFile, "tls-key": keyFile } });
  try {
    const url = `https://localhost:${secure.port}`;
    const user = await newUser(url);
    const strange = await user.run(["version"]);
    expect(strange).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("NODE_EXTRA_CA_CERTS"),
    });
    const plain = await user.run(["--url", `http://localhost:${secure.port}`, "version"]);
    expect(plain).toMatchObject({ code: 3, stderr: expect.stringContaining("use https://") });
    const trusted = await user.run(["version"], { env: { NODE_EXTRA_CA_CERTS: certFile } });
    expect(trusted).toMatchObject({ code: 0, stdout: expect.stringContaining(`meadow at ${url}`) });
  } finally {
    await secure.dispose();
    await dispose();
  }
});

test("help is there without a server, and a wrong command line says what is wrong", async () => {
  const user = await newUser("http://127.0.0.1:1");
  const help = await done(user, "help");
  const commands = ["register", "login", "characters", "look", "walk", "messages", "edit"];
  for (const command of commands) expect(help).toContain(`  ${command} `);
  const input = commands.map((command) => `help ${command}\n`).join("");
  const explained = await user.run([], { input });
  expect(explained.stdout.match(/ {2}Examples:/g)).toHaveLength(commands.length);
  expect(await done(user, "--help")).toContain("Exit codes");
  expect(await user.run(["loook"])).toMatchObject({
    code: 2,
    stderr: 'There is no command "loook": did you mean look?\n',
  });
  expect(await user.run(["login", "zoe", "zoe", "secret"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("a password is no argument"),
  });
  expect(await user.run(["--nonsense"])).toMatchObject({ code: 2 });
});

test("a reader that stops early, as head does, ends it quietly", async () => {
  const script = `"${process.execPath}" clients/cli/main.ts help | true; echo "ended with \${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await promisify(execFile)("bash", ["-c", script], { cwd: root });
  expect({ stdout, stderr }).toEqual({ stdout: "ended with 141\n", stderr: "" });
});
