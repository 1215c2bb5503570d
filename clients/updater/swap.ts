import { lstat, readdir, rename, rm, rmdir } from "node:fs/promises";
import { UpdateError, orMissing } from "./errors.ts";
import { sync } from "./build-folder.ts";
import type { Layout } from "./layout.ts";
import { readInstalled, readJson, writeJson } from "./manifest-file.ts";
import { carryOwnFiles } from "./own-files.ts";

/**
 * Puts the next client in the place of the one that is there, by two renames of folders: whoever opens a file finds the whole old
 * client or the whole new one, or, between the two, for an instant, none. A failure leaves the old one in its place.
 */
export async function swap(layout: Layout, releasedBefore: ReadonlySet<string>): Promise<void> {
  const { folder, next, previous, previousFiles, parent, staging } = layout;
  await writeJson(previousFiles, [...releasedBefore]);
  await sync(staging);
  if (await exists(folder)) await rename(folder, previous);
  try {
    await rename(next, folder);
  } catch (error) {
    if (await exists(previous)) await rename(previous, folder);
    throw error;
  }
  await sync(parent);
  await sync(staging);
}

/** Takes over what the user made in the old folder up to its last moment, and deletes it. */
export async function finishSwap(layout: Layout): Promise<void> {
  const { folder, previous, previousFiles, contents } = layout;
  if (await exists(previous)) {
    const paths = await readJson(previousFiles);
    if (!Array.isArray(paths)) {
      throw new UpdateError(
        "wrong-folder",
        `the old client is in ${previous}, and nothing says what in it is yours: delete it, or put it in the place of ${folder}`,
      );
    }
    const releasedBefore = new Set(paths.filter((path) => typeof path === "string"));
    const installed = await readInstalled(folder);
    const released = new Set(installed?.manifest.files.map(({ path }) => path));
    await carryOwnFiles({ from: previous, to: folder, releasedBefore, released, how: "move" });
    await rm(previous, { recursive: true, force: true });
  }
  await rm(previousFiles, { force: true });
  await rm(contents, { recursive: true, force: true });
}

/**
 * Brings what an updater left that was killed into a state from which one can go on: a swap that had begun is finished. Before
 * that the old client is in its place, and only what was fetched is kept.
 */
export async function recover(layout: Layout): Promise<void> {
  const { folder, next, previous } = layout;
  if (await exists(previous)) {
    if (await exists(next)) {
      await clearGap(layout);
      await rename(next, folder);
    } else if (!(await exists(folder))) await rename(previous, folder);
    await finishSwap(layout);
  }
  await rm(next, { recursive: true, force: true });
}

/** Between the two renames somebody may have made the folder anew; an empty one is of no use. */
async function clearGap({ folder, previous }: Layout): Promise<void> {
  const entries = await orMissing(readdir(folder));
  if (entries === undefined) return;
  if (entries.length > 0) {
    throw new UpdateError(
      "wrong-folder",
      `${folder} was made anew while it was updated; the client is in ${previous}: move one of them away`,
    );
  }
  await rmdir(folder);
}

async function exists(path: string): Promise<boolean> {
  return (await orMissing(lstat(path))) !== undefined;
}
