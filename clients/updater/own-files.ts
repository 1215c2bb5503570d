import {
  chmod,
  copyFile,
  link,
  lstat,
  mkdir,
  readdir,
  readlink,
  rename,
  symlink,
  utimes,
} from "node:fs/promises";
import { constants } from "node:fs";
import { basename, dirname, join } from "node:path";
import { codeOf, orMissing, UpdateError } from "./errors.ts";
import { foldersAbove } from "./local-files.ts";
import { foldCase, MANIFEST_FILE } from "./safe-manifest.ts";

/** How many names are tried for a file that is in the way of the release. */
const MAX_NAMES = 1_000;
/** Codes of file systems that cannot link, or do not let this user. */
const CANNOT_LINK = new Set([
  "EPERM",
  "EACCES",
  "EMLINK",
  "ENOTSUP",
  "EOPNOTSUPP",
  "ENOSYS",
  "EXDEV",
]);

/** Something of the user's that lay where the release has something. */
export interface Renamed {
  readonly from: string;
  readonly to: string;
}

/** What {@link carryOwnFiles} needs. */
export interface CarryOptions {
  /** The client before. */
  readonly from: string;
  /** The client afterwards. */
  readonly to: string;
  /** Paths of the release in `from`: all else there is the user's. */
  readonly releasedBefore: ReadonlySet<string>;
  /** Paths of the release in `to`. */
  readonly released: ReadonlySet<string>;
  /**
   * `link` leaves `from` as it is: a file is in both, and what is written into it is too. `move` takes over what is not in `to`
   * yet or was replaced since.
   */
  readonly how: "link" | "move";
}

/**
 * Takes what the user made from a client's folder into the next one. Nothing of it is lost: what lies where the release has
 * something gets the ending `.saved`. Links are taken as links. Gives what was renamed so.
 */
export async function carryOwnFiles(options: CarryOptions): Promise<Renamed[]> {
  const { from, to, how, releasedBefore } = options;
  const foldersBefore = foldersAbove(releasedBefore);
  const claimed = claimedBy(options.released);
  const renamed: Renamed[] = [];
  /** Where folders of `from` are in `to`. */
  const places = new Map([["", ""]]);

  async function carryFolder(path: string): Promise<void> {
    // A folder of the release exists only for its files; one of the user's stays even when it is empty.
    const isOwn = path !== "" && !foldersBefore.has(path);
    if (isOwn) await placeOf(path);
    for (const entry of await readdir(join(from, path), { withFileTypes: true })) {
      const inner = path === "" ? entry.name : `${path}/${entry.name}`;
      if (entry.name.includes("\ufffd")) {
        throw new UpdateError("wrong-folder", `the name ${JSON.stringify(inner)} is not UTF-8`);
      }
      if (entry.isDirectory()) await carryFolder(inner);
      else if (inner !== MANIFEST_FILE && !releasedBefore.has(inner)) {
        await carryFile(inner, join(await placeOf(path), entry.name));
      }
    }
    if (isOwn) await chmod(join(to, await placeOf(path)), (await lstat(join(from, path))).mode);
  }

  /** Where a folder of `from` is in `to`: made, with those above it, and under another name where the release has a file. */
  async function placeOf(path: string): Promise<string> {
    const known = places.get(path);
    if (known !== undefined) return known;
    const above = await placeOf(path.includes("/") ? dirname(path) : "");
    const wanted = join(above, basename(path));
    for (const place of namesFor(wanted)) {
      if (!(await isFolderNow(join(to, place)))) continue;
      places.set(path, place);
      if (basename(place) !== basename(path)) renamed.push({ from: path, to: place });
      return place;
    }
    throw noName(wanted);
  }

  async function carryFile(path: string, target: string): Promise<void> {
    for (const name of namesFor(target)) {
      if (await placeFile(join(from, path), join(to, name), claimed.has(foldCase(name)))) {
        if (name !== target) renamed.push({ from: path, to: name });
        return;
      }
    }
    throw noName(target);
  }

  /** Whether the file is at this place now. */
  async function placeFile(file: string, place: string, isClaimed: boolean): Promise<boolean> {
    const there = await orMissing(lstat(place));
    if (there === undefined) {
      await (how === "move" ? rename(file, place) : linkOrCopy(file, place));
      return true;
    }
    if (await isSameFile(file, place, isClaimed)) return true;
    if (how !== "move" || isClaimed || there.isDirectory()) return false;
    await rename(file, place);
    return true;
  }

  await carryFolder("");
  return renamed;
}

/** The places of a release, as file systems compare them that take upper and lower case for the same. */
function claimedBy(paths: ReadonlySet<string>): Set<string> {
  return new Set([...paths, ...foldersAbove(paths), MANIFEST_FILE].map(foldCase));
}

function* namesFor(path: string): Generator<string> {
  yield path;
  yield `${path}.saved`;
  for (let n = 2; n <= MAX_NAMES; n++) yield `${path}.saved-${n}`;
}

function noName(path: string): UpdateError {
  return new UpdateError("wrong-folder", `there are ${MAX_NAMES} files like ${path}.saved`);
}

/** Makes a folder unless it is there; gives whether one is there now. */
async function isFolderNow(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    return (await lstat(path)).isDirectory();
  }
}

/** Whether two places hold the same file: one and the same, or, unless it is the release's, a copy that was not written to since. */
async function isSameFile(a: string, b: string, isClaimed: boolean): Promise<boolean> {
  const [one, other] = await Promise.all([lstat(a), lstat(b)]);
  if (one.ino === other.ino && one.dev === other.dev) return true;
  if (isClaimed) return false;
  if (one.isSymbolicLink() && other.isSymbolicLink())
    return (await readlink(a)) === (await readlink(b));
  return one.isFile() && other.isFile() && one.size === other.size && one.mtimeMs === other.mtimeMs;
}

/** Makes a file appear at another place too: the same file where the file system can do that, else a copy. */
export async function linkOrCopy(from: string, to: string): Promise<"linked" | "copied"> {
  const stats = await lstat(from);
  try {
    if (stats.isSymbolicLink()) await symlink(await readlink(from), to);
    else await link(from, to);
    return "linked";
  } catch (error) {
    if (stats.isSymbolicLink() || !CANNOT_LINK.has(codeOf(error) ?? "")) throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await utimes(to, stats.atime, stats.mtime);
    return "copied";
  }
}
