import { readdirSync, readFileSync } from "node:fs";
import { getPriority, platform } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { BACKGROUND_NICENESS } from "../../server/thread-priorities.ts";
import { runServer, serverArgs } from "../support/child-server.ts";
import { createDataFolders } from "../support/data-folders.ts";
import { loginPlayer } from "../support/player.ts";
import { requireOrSkip } from "../support/require.ts";

const BACKGROUND = ["V8Worker", "libuv-worker", "pglite"];

test("threads that no tick waits for give way: the database's, the collector's and those that hash; not those of zones", async (context) => {
  requireOrSkip(context, platform() === "linux", "Linux");
  const folders = await createDataFolders();
  onTestFinished(() => folders.dispose());
  const server = runServer(serverArgs(await folders.next(), "--threads", "1"));
  onTestFinished(() => server.dispose());
  const { baseUrl } = await server.ready();
  await loginPlayer(baseUrl, "ada");
  const tasks = readdirSync(`/proc/${server.pid}/task`).map(Number);
  const threads = tasks.map((task) => ({
    name: readFileSync(`/proc/${server.pid}/task/${task}/comm`, "utf8").trim(),
    niceness: getPriority(task),
  }));
  const isBackground = ({ name }: { name: string }) => BACKGROUND.includes(name);
  const background = threads.filter(isBackground);
  expect(new Set(background.map(({ name }) => name))).toEqual(new Set(BACKGROUND));
  for (const thread of background) expect(thread.niceness).toBe(BACKGROUND_NICENESS);
  // The main thread and the one of the zones are among the others.
  const others = threads.filter((thread) => !isBackground(thread));
  expect(others.length).toBeGreaterThanOrEqual(2);
  for (const { name, niceness } of others) expect(niceness, name).toBe(0);
});
