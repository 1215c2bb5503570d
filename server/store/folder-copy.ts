import {
  constants,
  copyFileSync,
  type Dirent,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { copyFile, lstat, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Shares the bytes where the file system can. */
const MODE = constants.COPYFILE_FICLONE;
/** Clocks of file systems are coarse: what was written less than so many milliseconds before may have been written again since. */
const COARSE_MS = 1_000;

/** When files of a folder were written last and how large they were, by path, as far as that can be relied on. */
export type CopiedFiles = ReadonlyMap<string, string>;

/** Copies a folder in which others go on writing. What comes back are files that need not be copied again unless they change. */
export async function copyWhileWritten(from: string, to: string): Promise<CopiedFiles> {
  const copied = new Map<string, string>();
  const beganMs = Date.now();
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const item of await readdir(from, { recursive: true, withFileTypes: true })) {
    const path = pathOf(from, item);
    if (item.isDirectory()) {
      await mkdir(join(to, path), { recursive: true, mode: 0o700 });
      continue;
    }
    try {
      const before = await lstat(join(from, path), { bigint: true });
      await copyFile(join(from, path), join(to, path), MODE);
      if (Number(before.mtimeMs) < beganMs - COARSE_MS) copied.set(path, stampOf(before));
    } catch (error) {
      // It was deleted meanwhile.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return copied;
}

/** Makes a copy equal to its folder, in which nobody writes now: what changed is copied again, what is gone is deleted. */
export function completeCopy(from: string, to: string, copied: CopiedFiles): void {
  const present = new Set<string>();
  for (const item of readdirSync(from, { recursive: true, withFileTypes: true })) {
    const path = pathOf(from, item);
    present.add(path);
    if (item.isDirectory()) {
      mkdirSync(join(to, path), { recursive: true, mode: 0o700 });
    } else if (copied.get(path) !== stampOf(lstatSync(join(from, path), { bigint: true }))) {
      copyFileSync(join(from, path), join(to, path), MODE);
    }
  }
  for (const item of readdirSync(to, { recursive: true, withFileTypes: true })) {
    const path = pathOf(to, item);
    if (!present.has(path)) rmSync(join(to, path), { recursive: true, force: true });
  }
}

function pathOf(folder: string, { parentPath, name }: Dirent): string {
  return join(parentPath, name).slice(folder.length + 1);
}

function stampOf(stat: {
  readonly mtimeNs: bigint;
  readonly size: bigint;
  readonly ino: bigint;
}): string {
  return `${stat.mtimeNs} ${stat.size} ${stat.ino}`;
}
