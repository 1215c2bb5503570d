import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createCommand } from "../../server/config.ts";
import { createDataFolders, type DataFolders } from "../support/data-folders.ts";
import { type GameChange, urlOf, writeGame } from "../support/broken-game.ts";
import { type ChildServer, runServer, serverArgs } from "../support/child-server.ts";
import { loginPlayer } from "../support/player.ts";
import { DEV_PASSWORD, root } from "../support/server.ts";

let folders: DataFolders;
const running = new Set<ChildServer>();
const written: string[] = [];

beforeAll(async () => {
  folders = await createDataFolders();
});
afterEach(async () => {
  for (const server of running) await server.dispose();
  running.clear();
});
afterAll(async () => {
  for (const folder of written) await rm(folder, { recursive: true, force: true });
  await folders.dispose();
});

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildServer {
  const server = runServer(args, env);
  running.add(server);
  return server;
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "realmwire-"));
  written.push(folder);
  return folder;
}

/** Runs a server that is to refuse its start; what it says on standard error comes back. */
async function refusal(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const server = run(args, env);
  const { code } = await server.ended();
  return { code, message: server.stderr };
}

/** Lines of a stack trace. */
const STACK = /^\s+at .*:\d+:\d+\)?$/m;

describe("settings", () => {
  test("--help lists every setting with its variable and its default", async () => {
    const server = run(["--help"]);
    expect(await server.ended()).toEqual({ code: 0, signal: null });
    const { options } = createCommand("1");
    expect(options.length).toBeGreaterThan(15);
    // Commander breaks long lines.
    const help = server.stdout.replaceAll(/\s+/g, " ");
    for (const { long, envVar, defaultValue } of options.filter((option) => option.envVar)) {
      const at = help.indexOf(`${long} <`);
      const entry = help.slice(at, help.indexOf(`env: ${envVar})`, at));
      expect(entry, `${long} and ${envVar}`).toMatch(/^--/);
      expect(entry, long).toContain(defaultValue ? `default: "${defaultValue}"` : "default: ");
    }
    expect(help).toContain("NODE_ENV=production");
  });

  test("a setting that cannot be used ends the start with 2 and its name, variable and limit", async () => {
    const all = await Promise.all([
      refusal(["--port", "70000"]),
      refusal([], { DATABASE_URL: "mysql://user:secret@host/db" }),
      refusal([], { NATS_URL: "nats://127.0.0.1" }),
      refusal([], { REALMWIRE_DEV_PASSWORD: "short" }),
      refusal(["--colour"]),
    ]);
    expect(all.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2]);
    const [port, database, nats, password, unknown] = all.map(({ message }) => message);
    expect(port).toMatch(/--port \(PORT\) "70000": .*65535/);
    expect(database).toMatch(/--database-url \(DATABASE_URL\): .*postgres:\/\//);
    expect(database).not.toContain("secret");
    expect(nats).toMatch(/--nats-url \(NATS_URL\) .*one node/);
    expect(password).toMatch(/--dev-password \(REALMWIRE_DEV_PASSWORD\): .*8 to 128/);
    expect(password).not.toContain("short");
    expect(unknown).toContain("unknown option '--colour'");
    for (const { message } of all) expect(message).not.toMatch(STACK);
  });
});

describe("a first start", () => {
  test("[PY-12] [JW-8] says each step with its time, prints the passwords once, and never again", async () => {
    const data = await newFolder();
    const first = run(["--port", "0", "--host", "127.0.0.1", "--data", data]);
    const { baseUrl } = await first.ready();
    for (const step of ["bus", "database", "accounts", "client releases", "zones", "port"]) {
      const line = first.log.find(({ msg }) => msg === `${step} started`);
      expect(line, step).toMatchObject({ time: expect.stringMatching(/^\d{4}-.*Z$/) });
      expect(line?.["tookMs"], step).toBeGreaterThanOrEqual(0);
    }
    expect(first.log.find(({ msg }) => msg.includes('"Meadow" loaded'))).toMatchObject({ maps: 2 });
    const printed = [...first.stdout.matchAll(/^ {2}(\w+) +([a-z-]+)$/gm)];
    expect(printed.map(([, name]) => name)).toEqual(["ada", "bob", "builder", "admin"]);
    const passwords = printed.map(([, , password]) => password ?? "");
    expect(new Set(passwords).size).toBe(4);
    const [password = ""] = passwords;
    const ada = await loginPlayer(baseUrl, "ada", { password });
    expect(await ada.get("", ["name"])).toEqual({ name: "ada" });

    first.signal("SIGTERM");
    expect(await first.ended()).toEqual({ code: 0, signal: null });
    const second = run(["--port", "0", "--host", "127.0.0.1", "--data", data]);
    const again = await second.ready();
    expect(second.stdout + second.stderr).not.toMatch(/Ready-made|-[a-z]{4}-/);
    await loginPlayer(again.baseUrl, "ada", { password });
  });

  test("in production there are no ready-made accounts, and no password is printed", async () => {
    const env = {
      ...{ NODE_ENV: "production", REALMWIRE_PLAINTEXT: "allow" },
      REALMWIRE_DEV_PASSWORD: DEV_PASSWORD,
    };
    const data = await newFolder();
    const server = run(["--port", "0", "--host", "127.0.0.1", "--data", data], env);
    const { baseUrl } = await server.ready();
    expect(server.stdout).not.toContain("Ready-made");
    await expect(loginPlayer(baseUrl, "ada")).rejects.toThrow(/name or the password is wrong/);
    await expect(loginPlayer(baseUrl, "admin")).rejects.toThrow(/name or the password is wrong/);
  });

  test("REALMWIRE_DEV_PASSWORD is the password of all of them", async () => {
    const { baseUrl } = await run(serverArgs(await folders.next())).ready();
    for (const name of ["ada", "bob", "builder", "admin"]) {
      expect((await loginPlayer(baseUrl, name)).name).toBe(name);
    }
  });
});

describe("what stands in the way of a start", () => {
  test("a port in use is named, without a stack", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const args = serverArgs(await folders.next(), "--port", String(port));
    const { code, message } = await refusal(args);
    other.close();
    expect(code).toBe(1);
    expect(message).toContain(`port ${port}`);
    expect(message).toContain("in use");
    expect(message).not.toMatch(STACK);
  });

  test("a data folder that another server has is named, and the other one is not disturbed", async () => {
    const data = await folders.next();
    const first = run(serverArgs(data));
    const { baseUrl } = await first.ready();
    const { code, message } = await refusal(serverArgs(data));
    expect(code).toBe(2);
    expect(message).toContain(data);
    expect(message).toContain(`${first.pid}`);
    expect(message).not.toMatch(STACK);
    await loginPlayer(baseUrl, "ada");
  });

  test("a data folder that cannot be one, and a database that is not there", async () => {
    const file = join(await newFolder(), "file");
    await writeFile(file, "");
    const [folder, database] = await Promise.all([
      refusal(serverArgs(file)),
      refusal(serverArgs(await newFolder(), "--database-url", "postgres://u:secret@127.0.0.1:1/x")),
    ]);
    expect(folder.code).toBe(1);
    expect(folder.message).toContain(file);
    expect(folder.message).not.toMatch(STACK);
    expect(database.code).toBe(1);
    expect(database.message).toContain("database cannot be reached");
    expect(database.message).toContain("127.0.0.1:1");
    expect(database.message).not.toMatch(/secret/);
    expect(database.message).not.toMatch(STACK);
  });

  const guild = `import { describeGuild } from ${urlOf("test/support/guild-service.ts")};`;
  const broken: readonly [what: string, change: GameChange, says: readonly (string | RegExp)[]][] =
    [
      ["a map that is no JSON", { town: () => "{" }, ["town.tmj: not JSON"]],
      [
        "a map with an object of no kind",
        { town: (text) => text.replace(/"type": ?"well"/, '"type": "wall"') },
        ["town.tmj", "wall", /\(\d+/],
      ],
      [
        "a script that throws when it is imported",
        { scripts: { "hen.ts": 'throw new Error("out of eggs");\nexport default {};' } },
        ["hen.ts", "out of eggs"],
      ],
      ["a script of nothing", { scripts: { "hen.ts": "export default {};" } }, ["hen.ts", '"is"']],
      [
        "a component with a field without attribute",
        {
          head: `import { VectorSchema } from ${urlOf("gen/ts/realmwire/v1/value_pb.ts")};`,
          fields: "proto: { components: [...meadow.proto.components, VectorSchema] },",
        },
        ["game.ts", "realmwire.v1.Vector.x", "(realmwire.v1.attribute)"],
      ],
      [
        "a call without access",
        {
          head: guild,
          fields: "services: () => [{ desc: describeGuild({ unruled: true }), handlers: {} }],",
        },
        ['"meadow"', "guild.v1.GuildService.Disband", "(realmwire.v1.access)"],
      ],
      ["a start zone without a map", { fields: 'startZone: "void",' }, ["game.ts", '"void"']],
      ["a game that is none", { fields: 'tickRateHz: "fast",' }, ["game.ts", "tickRateHz"]],
    ];

  test.each(broken)("%s is named", async (_, change, says) => {
    const game = await writeGame(change);
    written.push(game);
    const { code, message } = await refusal(serverArgs(await newFolder(), "--game", game));
    expect(message).not.toMatch(STACK);
    for (const words of says) expect(message).toMatch(words);
    expect(code).toBe(2);
  });

  test("a game folder that does not exist is named", async () => {
    const game = join(root, "games/nowhere");
    const { code, message } = await refusal(serverArgs(await newFolder(), "--game", game));
    expect(code).toBe(2);
    expect(message).toContain(game);
    expect(message).not.toMatch(STACK);
  });
});
