import { constants } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { hashFile } from "./digest.ts";
import { orMissing } from "./errors.ts";

/** A file of a release as it lies in the client's folder. */
export interface LocalFile {
  /** SHA-256 in hex; undefined when no release that is asked for has a content of its size. */
  readonly sha256: string | undefined;
  readonly executable: boolean;
}

/** What {@link readLocalFiles} needs. */
export interface LocalFilesOptions {
  readonly folder: string;
  /** The paths to look at. */
  readonly paths: ReadonlySet<string>;
  /** The sizes of contents that are of use, in bytes: files of other sizes are not read. */
  readonly sizes: ReadonlySet<number>;
  /** Told of each piece that was read, and of how much there is to read. */
  readonly onBytes?: (bytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
}

/** Looks at files of a client's folder. No link is followed: what lies behind one is not part of the client. */
export async function readLocalFiles(options: LocalFilesOptions): Promise<Map<string, LocalFile>> {
  const { folder, sizes, signal, onBytes } = options;
  const found = await findFiles(folder, options.paths);
  const totalBytes = [...found.values()]
    .filter(({ size }) => sizes.has(size))
    .reduce((sum, { size }) => sum + size, 0);
  const files = new Map<string, LocalFile>();
  for (const [path, { size, executable }] of found) {
    const sha256 = sizes.has(size)
      ? await hashFile(join(folder, path), {
          onBytes: (bytes) => onBytes?.(bytes, totalBytes),
          ...(signal && { signal }),
        })
      : undefined;
    files.set(path, { sha256, executable });
  }
  return files;
}

/** Which of these paths are files. Only folders above them are read. */
async function findFiles(folder: string, paths: ReadonlySet<string>) {
  const above = foldersAbove(paths);
  const found = new Map<string, { readonly size: number; readonly executable: boolean }>();
  const folders = [""];
  for (const parent of folders) {
    const entries = await orMissing(readdir(join(folder, parent), { withFileTypes: true }));
    for (const entry of entries ?? []) {
      const path = parent + entry.name;
      if (entry.isDirectory() && above.has(path)) folders.push(`${path}/`);
      else if (entry.isFile() && paths.has(path)) {
        const { size, mode } = await lstat(join(folder, path));
        found.set(path, { size, executable: isExecutable(mode) });
      }
    }
  }
  return found;
}

/** The folders above some paths. */
export function foldersAbove(paths: Iterable<string>): Set<string> {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) {
      folders.add(path.slice(0, end));
    }
  }
  return folders;
}

/** Whether a file's mode makes it executable for its owner. */
function isExecutable(mode: number): boolean {
  return (mode & constants.S_IXUSR) !== 0;
}

/** Whether files say whether they can be run; on Windows their names do. */
export function knowsExecutables(): boolean {
  return process.platform !== "win32";
}
