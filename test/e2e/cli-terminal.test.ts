import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { TestContext } from "vitest";
import { createRealmwire } from "../../clients/ts/index.ts";
import type { Realmwire } from "../../clients/ts/index.ts";
import { createDataFolders, type DataFolders } from "../support/data-folders.ts";
import { runServer, serverArgs } from "../support/child-server.ts";
import type { ChildServer } from "../support/child-server.ts";
import { createCliUser } from "../support/cli.ts";
import type { CliUser } from "../support/cli.ts";
import { isInstalled, requireOrSkip } from "../support/require.ts";
import { DEV_PASSWORD, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { openTerminal } from "../support/terminal.ts";
import type { Terminal } from "../support/terminal.ts";

/** A map without a sign of life is green: the background of grass among 256 colours. */
const GRASS = "48;5;64m";
/** Keys, and where they lead to. */
const ARROWS = [
  ["Down", 0, 1],
  ["Up", 0, -1],
  ["Right", 1, 0],
  ["Left", -1, 0],
] as const;

/** Terminals and processes take their time on a busy machine. */
vi.setConfig({ testTimeout: 60_000 });

let server: TestServer;
let bob: Realmwire;
let hasTmux = false;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  hasTmux = await isInstalled("tmux");
  server = await startTestServer();
  bob = createRealmwire({ baseUrl: server.baseUrl });
  await bob.login("bob", DEV_PASSWORD);
  await bob.connect().ready();
});

afterAll(async () => {
  bob.close();
  for (const end of ends.toReversed()) await end();
  await server.dispose();
});

/** Opens the prompt in a terminal, as somebody who begins. */
async function openPrompt(
  context: TestContext,
  options: {
    url?: string;
    columns?: number;
    rows?: number;
    env?: Record<string, string>;
    user?: CliUser;
  } = {},
): Promise<Terminal> {
  requireOrSkip(context, hasTmux, "tmux");
  const { url = server.baseUrl, columns = 80, rows = 24, env = {} } = options;
  const user = options.user ?? (await createCliUser(url));
  const terminal = await openTerminal({
    columns,
    rows,
    env: { XDG_STATE_HOME: user.stateDir, HOME: user.stateDir, REALMWIRE_URL: url, ...env },
    command: "npm run cli",
  });
  ends.push(user.dispose, terminal.dispose);
  return terminal;
}

/** Runs a command and waits for what it shows. */
async function enter(terminal: Terminal, command: string, shows: string | RegExp): Promise<void> {
  await terminal.type(command);
  await terminal.press("Enter");
  await terminal.shows(shows);
}

async function register(terminal: Terminal, name: string): Promise<void> {
  await enter(terminal, `register ${name}`, "Choose a password");
  await enter(terminal, "open sesame", "Once more");
  await enter(terminal, "open sesame", `Logged in as ${name}`);
}

test("[SM-27] [JW-8] npm run cli leads to a prompt: help, register, login, completion, history", async (context) => {
  const terminal = await openPrompt(context, { rows: 40 });
  await terminal.shows("`login <name>` logs in");
  await enter(terminal, "help", "list the commands, or explain one");
  await register(terminal, "Terry");
  expect((await terminal.rows()).join("\n")).not.toContain("open sesame");
  // Tab completes a command, and a name in view.
  await terminal.type("charac");
  await terminal.press("Tab");
  await terminal.press("Enter");
  await terminal.shows("▸ Terry in town");
  await terminal.type("look wel");
  await terminal.press("Tab");
  await terminal.shows(/> look well *\n*$/);
  await terminal.press("Enter");
  await terminal.shows("object well, at");
  // The line before the last one comes back; passwords are not remembered.
  await terminal.press("Up", "Up");
  await terminal.shows(/> characters *\n*$/);
  await terminal.press("Up");
  await terminal.shows(/> register Terry *\n*$/);
  await terminal.press("C-c");
  await enter(terminal, "exit", "ended with 0");
});

test("[SM-27] messages come in while a line is typed, with time and sender, and leave it whole", async (context) => {
  const terminal = await openPrompt(context, { columns: 50 });
  await register(terminal, "Talia");
  const typed = "say a line that is longer than the terminal has columns";
  await terminal.type(typed);
  for (const text of ["one", "two \u001B[2J\u009Bc", "three"]) await bob.shout(text);
  await terminal.shows(/\d\d:\d\d:\d\d bob shouts: three/);
  const rows = await terminal.rows();
  const first = rows.findIndex((row) => row.includes("bob shouts: one"));
  expect(rows[first + 1]).toMatch(/^\d\d:\d\d:\d\d bob shouts: two ␛\[2J�c/);
  expect(rows[first + 2]).toContain("bob shouts: three");
  expect(
    rows
      .slice(first + 3)
      .join("")
      .trimEnd(),
  ).toBe(`Talia> ${typed}`);
  await terminal.press("Enter");
  await terminal.shows("Talia: a line that is longer");
  await enter(terminal, "tell bob a word", "Talia → bob: a word");
});

test("[SM-27] the live map is drawn in colour and to the terminal's size, keys walk on it", async (context) => {
  const terminal = await openPrompt(context);
  await register(terminal, "Livia");
  await enter(terminal, "live", "arrows, wasd, hjkl: walk");
  await terminal.shows("@ you");
  await expect.poll(terminal.colored, { timeout: 10_000 }).toContain(GRASS);
  const status = async () => (await terminal.rows())[0] ?? "";
  expect(await status()).toMatch(/^ Livia · town · \d/);

  const place = async () => {
    const [, x, y] = /· ([\d.]+), ([\d.]+)/.exec(await status()) ?? [];
    return [Number(x), Number(y)] as const;
  };
  // Somebody may stand in one way or another, but not in nearly all of them.
  let walked = 0;
  for (const [key, dx, dy] of ARROWS) {
    const [fromX, fromY] = await place();
    await terminal.press(key, key);
    const goesOn = async () => {
      const [x, y] = await place();
      return (x - fromX) * dx + (y - fromY) * dy > 0;
    };
    const hasWalked = await expect
      .poll(goesOn, { timeout: 3_000 })
      .toBe(true)
      .then(
        () => true,
        () => false,
      );
    if (hasWalked) walked++;
  }
  expect(walked).toBeGreaterThanOrEqual(2);

  await bob.shout("into the map");
  await terminal.shows("bob shouts: into the map");
  await terminal.type("t");
  await terminal.type("hello from the map");
  await terminal.shows("> say hello from the map");
  await terminal.press("Enter");
  await terminal.shows("Livia: hello from the map");

  for (const [columns, rows] of [
    [120, 40],
    [40, 20],
    [20, 8],
    [80, 24],
  ] as const) {
    await terminal.resize(columns, rows);
    await terminal.shows(columns < 30 ? "Too small" : "into the map");
    const screen = await terminal.rows();
    expect(screen).toHaveLength(rows);
    if (columns >= 30)
      await expect.poll(async () => (await terminal.rows()).at(-1)).toContain("Esc");
  }
  await terminal.press("Escape");
  // Back at the prompt, with what was heard meanwhile.
  await terminal.shows(/Livia: hello from the map\n+Livia>/);
  await terminal.press("C-d");
  await terminal.shows("ended with 0");
});

test("NO_COLOR is heeded, and Ctrl-C ends the program with 130, the terminal as it was", async (context) => {
  const terminal = await openPrompt(context, { env: { NO_COLOR: "1" } });
  await register(terminal, "Norma");
  await enter(terminal, "live", "@ you");
  expect(await terminal.colored()).not.toContain("\u001B[");
  await terminal.press("C-c");
  await terminal.shows("ended with 130");
  await terminal.shows("Logged in as Norma");
});

test("[PY-15] whatever is typed is refused with words, and the prompt goes on", async (context) => {
  const terminal = await openPrompt(context);
  await enter(terminal, "loook", "did you mean look?");
  await enter(terminal, "look", "log in first");
  await enter(terminal, "login nobody", "Password of nobody");
  await terminal.press("C-c");
  await terminal.shows("Cancelled.");
  await register(terminal, "Wanda");
  await enter(terminal, "set gold = 1000", "gold");
  await enter(terminal, "walk nowhere", "is no direction");
  await enter(terminal, `say ${"x".repeat(600)}`, /text.*5\d\d/s);
  await enter(terminal, "whoami", "playing Wanda");
  expect((await terminal.rows()).at(-1)).toBe("Wanda>");
});

test("[AL-18] without a server the prompt says so in seconds, and goes on once there is one", async (context) => {
  const terminal = await openPrompt(context, { url: "http://127.0.0.1:9" });
  await terminal.shows("No server answers at http://127.0.0.1:9");
  await enter(terminal, "version", /No server answers.*No server answers/s);
  await enter(terminal, "help", "list the commands");
  expect((await terminal.rows()).at(-1)).toBe(">");
});

test("[JW-12] [AL-18] a server that stops tells the prompt, which resumes where it was when it is back", async (context) => {
  requireOrSkip(context, hasTmux, "tmux");
  const folders: DataFolders = await createDataFolders();
  const data = await folders.next();
  let child: ChildServer = runServer([...serverArgs(data), "--drain-ms", "500"]);
  ends.push(
    () => rm(data, { recursive: true, force: true }),
    folders.dispose,
    () => child.dispose(),
  );
  const { port, baseUrl } = await child.ready();
  const terminal = await openPrompt(context, { url: baseUrl, rows: 40 });
  await register(terminal, "Stella");
  await enter(terminal, "walk south 2", "You are there");
  const [, place] = /You are there, at ([\d., ]+)\./.exec((await terminal.rows()).join("\n")) ?? [];
  child.signal("SIGTERM");
  await terminal.shows("* the server stops in");
  expect(await child.ended()).toEqual({ code: 0, signal: null });
  await terminal.shows(/! the connection is lost .*attempt 1 of 12/s);
  const args = serverArgs(data).map((arg, index, all) =>
    all[index - 1] === "--port" ? `${port}` : arg,
  );
  child = runServer(args);
  await child.ready();
  await expect
    .poll(async () => (await terminal.rows()).join("\n"), { timeout: 20_000 })
    .toContain("connected again");
  await enter(terminal, "get position", `position  ${place}`);
  await enter(terminal, "exit", "ended with 0");
}, 120_000);
