import { createClient } from "@connectrpc/connect";
import { Code } from "@connectrpc/connect";
import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createDataFolders, type DataFolders } from "../support/data-folders.ts";
import { type ChildServer, runServer, serverArgs } from "../support/child-server.ts";
import { openInput } from "../support/input-stream.ts";
import { eventually, loginPlayer, readFailure, untilEnd } from "../support/player.ts";
import { createTransport } from "../support/server.ts";
import { requireOrSkip } from "../support/require.ts";

/** How long players are warned: long enough to look around meanwhile. */
const DRAIN_MS = 700;
/** A stop takes no longer than the warning and so much. */
const STOP_MS = 5_000;
/** The part of a core that an idle server may use: half a second after its start ten runs measured 0.4 to 0.8 %. */
const IDLE_SHARE = 0.05;

let folders: DataFolders;
let server: ChildServer | undefined;

beforeAll(async () => {
  folders = await createDataFolders();
});
afterEach(() => server?.dispose());
afterAll(() => folders.dispose());

const drainArgs = (data: string) => serverArgs(data, "--drain-ms", String(DRAIN_MS));

test.each(["0", "2"])(
  "[JW-12] [JW-7] SIGTERM tells the players, ends their streams as draining, saves, and exits with 0, with %s threads",
  async (threads) => {
    const data = await folders.next();
    server = runServer([...drainArgs(data), "--threads", threads]);
    const { baseUrl } = await server.ready();
    expect((await fetch(`${baseUrl}/readyz`)).status).toBe(200);
    const players = await Promise.all(
      (["connect", "grpc", "grpc-web"] as const).map((protocol, i) =>
        loginPlayer(baseUrl, ["ada", "bob", "builder"][i] ?? "", { protocol }),
      ),
    );
    const watchers = players.map((player) => player.watch());
    for (const watcher of watchers) await watcher.until("a scene", () => watcher.scenes.length > 0);
    const [ada] = players;
    if (!ada) throw new Error("nobody is there");
    const notes = "before the end";
    const value = { kind: { case: "stringValue" as const, value: notes } };
    await ada.world.set({ attribute: "notes", change: { case: "value", value } });
    expect((await ada.move("direction", { x: 0.3, y: 0 })).moved).toBe(true);

    const input = openInput(baseUrl, ada.token);
    await input.send({ way: "direction", x: 0.3, y: 0, sequence: 2 });

    const began = performance.now();
    server.signal("SIGTERM");
    for (const watcher of watchers) {
      const flag = await watcher.until("the warning", () =>
        watcher.flags.find(({ case: kind }) => kind === "drain"),
      );
      expect(flag.value).toMatchObject({ stopsInMs: DRAIN_MS });
    }
    // Warned, but not gone: calls are answered, and balancers see that no new ones are wanted.
    expect((await fetch(`${baseUrl}/readyz`)).status).toBe(503);
    expect((await fetch(`${baseUrl}/healthz`)).status).toBe(200);
    const { flags } = await ada.world.get({ attributes: ["notes"] });
    expect(flags.map(({ kind }) => kind.case)).toContain("drain");

    for (const watcher of watchers) {
      const end = await untilEnd(watcher);
      expect(readFailure(end)).toMatchObject({
        code: Code.Unavailable,
        reason: ErrorReason.DRAINING,
      });
    }
    expect(await input.failure()).toMatchObject({
      code: Code.Unavailable,
      reason: ErrorReason.DRAINING,
    });
    const last = watchers[0]?.view.self?.position;
    expect(await server.ended()).toEqual({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(DRAIN_MS + STOP_MS);
    expect(server.log.at(-1)).toMatchObject({ msg: "stopped" });
    await expect(fetch(`${baseUrl}/healthz`)).rejects.toThrow();

    server = runServer(drainArgs(data));
    const again = await loginPlayer((await server.ready()).baseUrl, "ada");
    expect(await again.get("", ["notes"])).toEqual({ notes });
    const { x, y } = await again.position();
    // The stream's last message may be a second older than the last step, at 1.2 tiles a second.
    expect(Math.hypot(x - (last?.x ?? 0), y - (last?.y ?? 0))).toBeLessThan(1.5);
  },
);

test("[JW-12] SIGINT does the same; with nobody there at once, and a second signal does no harm", async () => {
  server = runServer(serverArgs(await folders.next(), "--drain-ms", "60000"));
  await server.ready();
  const began = performance.now();
  server.signal("SIGINT");
  server.signal("SIGTERM");
  expect(await server.ended()).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(STOP_MS);
});

test("stopped while it starts, it ends with 0 and leaves a folder that works", async () => {
  const data = await folders.next();
  server = runServer(serverArgs(data));
  const starting = server;
  await eventually("the first step", () => starting.log.some(({ msg }) => msg === "bus started"));
  starting.signal("SIGTERM");
  expect(await starting.ended()).toEqual({ code: 0, signal: null });
  expect(starting.stderr).toBe("");
  server = runServer(serverArgs(data));
  expect((await server.ready()).port).toBeGreaterThan(0);
});

test("calls that are under way when it stops are answered or told that it drains", async () => {
  server = runServer(serverArgs(await folders.next(), "--drain-ms", "0"));
  const { baseUrl } = await server.ready();
  const world = createClient(WorldService, createTransport(baseUrl, "grpc"));
  const names = Array.from({ length: 20 }, (_, i) => `Late${i}`);
  const calls = names.map((name) =>
    world.new({ name, password: "correct-horse" }).then(
      () => "answered" as const,
      (error: unknown) => readFailure(error),
    ),
  );
  await Promise.race(calls);
  server.signal("SIGTERM");
  for (const outcome of await Promise.all(calls)) {
    if (outcome !== "answered") expect(outcome.code).toBe(Code.Unavailable);
  }
  expect(await server.ended()).toEqual({ code: 0, signal: null });
});

test("[SM-25] an idle server uses next to no processor", async (context) => {
  requireOrSkip(context, process.platform === "linux", "Linux, for /proc");
  server = runServer(serverArgs(await folders.next()));
  await server.ready();
  const { pid } = server;
  // What starting has left behind ends first, which takes longer where others need the machine.
  await expect.poll(() => cpuShareOf(pid)).toBeLessThan(IDLE_SHARE);
});

/** The part of a core that a process uses for a while. */
async function cpuShareOf(pid: number): Promise<number> {
  const before = { cpuMs: await cpuMsOf(pid), at: performance.now() };
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  return ((await cpuMsOf(pid)) - before.cpuMs) / (performance.now() - before.at);
}

async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // Behind the name: user and system time are the 12th and 13th, in hundredths of a second.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
