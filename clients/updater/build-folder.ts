import { constants } from "node:fs";
import { chmod, copyFile, lstat, mkdir, open, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ReleaseFile } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { hashFile, toHex } from "./digest.ts";
import { codeOf, orMissing, UpdateError } from "./errors.ts";
import type { Layout } from "./layout.ts";
import { knowsExecutables, type LocalFile } from "./local-files.ts";
import { type Installed, writeInstalled } from "./manifest-file.ts";
import { carryOwnFiles, linkOrCopy, type Renamed } from "./own-files.ts";

/** Where a file of the next client comes from. */
export interface Source {
  readonly file: ReleaseFile;
  readonly from: string;
  /** A link costs no room; it is taken only by one file, or two files would be one. */
  readonly how: "link" | "copy";
}

/**
 * Finds a source for each file of a release: the same file of the client before, the same content under another name there,
 * or what was fetched.
 */
export function chooseSources(options: {
  readonly files: readonly ReleaseFile[];
  readonly folder: string;
  readonly local: ReadonlyMap<string, LocalFile>;
  /** Where a fetched content lies. */
  readonly fileOf: (sha256: string) => string;
}): Source[] {
  const { files, folder, local, fileOf } = options;
  const held = new Map<string, string>();
  for (const [path, { sha256 }] of local) {
    if (sha256 !== undefined && !held.has(sha256)) held.set(sha256, path);
  }
  const fetched = new Set<string>();
  return files.map((file) => {
    const key = toHex(file.sha256);
    const before = local.get(file.path);
    if (before?.sha256 === key) {
      const isSame = before.executable === file.executable || !knowsExecutables();
      return { file, from: join(folder, file.path), how: isSame ? "link" : "copy" };
    }
    const elsewhere = held.get(key);
    if (elsewhere !== undefined) return { file, from: join(folder, elsewhere), how: "copy" };
    const how = fetched.has(key) ? "copy" : "link";
    fetched.add(key);
    return { file, from: fileOf(key), how };
  });
}

/** Builds the next client beside the one that is there, with the user's own files, and forces it to the disk. */
export async function buildNext(options: {
  readonly layout: Layout;
  readonly sources: readonly Source[];
  readonly installed: Installed;
  readonly releasedBefore: ReadonlySet<string>;
  readonly signal: AbortSignal;
}): Promise<Renamed[]> {
  const { layout, sources, installed, releasedBefore, signal } = options;
  const { folder, next } = layout;
  await rm(next, { recursive: true, force: true });
  await mkdir(next);
  const made = new Set<string>();
  for (const source of sources) {
    signal.throwIfAborted();
    const target = join(next, source.file.path);
    const parent = dirname(target);
    if (!made.has(parent)) await mkdir(parent, { recursive: true });
    made.add(parent);
    await place(source, target, source.from.startsWith(layout.contents));
  }
  await writeInstalled(next, installed);
  const before = await orMissing(lstat(folder));
  let renamed: Renamed[] = [];
  if (before !== undefined) {
    const released = new Set(sources.map(({ file }) => file.path));
    renamed = await carryOwnFiles({
      from: folder,
      to: next,
      releasedBefore,
      released,
      how: "link",
    });
    await chmod(next, before.mode);
  }
  await syncFolders(next);
  return renamed;
}

async function place(source: Source, target: string, isFetched: boolean): Promise<void> {
  const { file, from, how } = source;
  if (how === "link" && (await linkOrCopy(from, target)) === "linked") {
    if (isFetched) await chmod(target, modeOf(file));
    return;
  }
  if (how === "copy") {
    await copyFile(from, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
  await chmod(target, modeOf(file));
  if ((await hashFile(target)) !== toHex(file.sha256)) {
    throw new UpdateError("file-system", `${from} changed while it was copied: try again`);
  }
  await sync(target);
}

function modeOf({ executable }: ReleaseFile): number {
  return (executable ? 0o777 : 0o666) & ~process.umask();
}

/** Forces the entries of a folder and of all below it to the disk. */
async function syncFolders(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await syncFolders(join(folder, entry.name));
  }
  await sync(folder);
}

/** Forces a file, or the entries of a folder, to the disk, where the system can do that for folders. */
export async function sync(path: string): Promise<void> {
  try {
    await using handle = await open(path, constants.O_RDONLY);
    await handle.sync();
  } catch (error) {
    // Windows opens no folders, and some network file systems do not sync them; a folder without rights is the user's.
    if (!["EISDIR", "EPERM", "EINVAL", "ENOTSUP", "EACCES"].includes(codeOf(error) ?? ""))
      throw error;
  }
}
