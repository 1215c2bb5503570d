import { lstat, mkdir, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { codeOf, orMissing, UpdateError } from "./errors.ts";

/** Where things are while a client's folder is updated. All of it lies in one file system, so that it can be renamed. */
export interface Layout {
  /** The client's folder, by its real path. It need not exist. */
  readonly folder: string;
  /** The folder above it. */
  readonly parent: string;
  /** What the updater needs for itself, beside the client's folder. */
  readonly staging: string;
  /** In `staging`: whole contents by their hash, and `.part`s. */
  readonly contents: string;
  /** In `staging`: the next client, until it takes the place of the folder. */
  readonly next: string;
  /** In `staging`: the client before, once the next one has taken its place. */
  readonly previous: string;
  /** In `staging`: the files of the release in `previous`. */
  readonly previousFiles: string;
  /** In `staging`: held by the updater that works. */
  readonly lock: string;
}

/** Finds out where a client's folder and its staging folder are. Writes nothing. */
export async function findLayout(given: string): Promise<Layout> {
  const folder = await findRealPath(resolve(given));
  const parent = dirname(folder);
  if (parent === folder) throw new UpdateError("wrong-folder", `${folder} is no client's folder`);
  const stats = await orMissing(stat(folder));
  if (stats?.isDirectory() === false) {
    throw new UpdateError("wrong-folder", `${folder} is a file, not a folder`);
  }
  const above = await orMissing(stat(parent));
  if (stats !== undefined && above !== undefined && stats.dev !== above.dev) {
    throw new UpdateError(
      "wrong-folder",
      `${folder} is a file system of its own and cannot be renamed: take a folder in it`,
    );
  }
  const staging = join(parent, `.${basename(folder)}.update`);
  return {
    folder,
    parent,
    staging,
    contents: join(staging, "contents"),
    next: join(staging, "next"),
    previous: join(staging, "previous"),
    previousFiles: join(staging, "previous.json"),
    lock: join(staging, "lock"),
  };
}

/** The real path, also of a folder that is not there (yet, or for the moment of a swap). */
async function findRealPath(path: string): Promise<string> {
  const real = await orMissing(realpath(path));
  if (real !== undefined) return real;
  const entry = await orMissing(lstat(path));
  if (entry?.isSymbolicLink() === true) return resolve(dirname(path), await readlink(path));
  const parent = dirname(path);
  return parent === path ? path : join(await findRealPath(parent), basename(path));
}

/** Makes a folder of the updater's own. What is no folder, such as a link that somebody laid there, is refused. */
export async function makeOwnFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    const entry = await orMissing(lstat(path));
    if (entry?.isDirectory() === true) return;
    throw new UpdateError("wrong-folder", `${path} is in the way: it is not a folder`);
  }
}
