import { constants } from "node:fs";
import { lstat, open, readdir, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { hashFile } from "./digest.ts";
import { badRelease } from "./safe-manifest.ts";

/** How often a content may turn out to be another one than its hash says before the release is given up. */
const MAX_SPOILED = 3;
/** How many begun contents are gone on with: as many as a request may name. */
const MAX_BEGUN = 100;
const PART = ".part";
const APPEND_FLAGS =
  constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;

/** The contents that a client lacks, as far as they have arrived: files that outlive the process. */
export interface ContentStore {
  /** Looks at what an earlier run left: checks what is whole, keeps what was begun, deletes what is of no use. */
  start(): Promise<void>;
  /** What is still to come: how many bytes of it are there, by hash. */
  missing(): ReadonlyMap<string, number>;
  /** Bytes that are there. */
  readonly heldBytes: number;
  /** Adds a piece. Rejects with an `UpdateError` when it does not continue a missing content, or when that is spoiled time and again. */
  add(sha256: string, offset: number, data: Uint8Array): Promise<void>;
  /** Where a whole content lies. */
  fileOf(sha256: string): string;
  /** Closes the file that is being written. */
  close(): Promise<void>;
}

/** Creates a store of the contents `wanted`: their sizes by their hashes in hex. */
export function createContentStore(options: {
  readonly folder: string;
  readonly wanted: ReadonlyMap<string, number>;
}): ContentStore {
  const { folder, wanted } = options;
  const missing = new Map([...wanted.keys()].map((key) => [key, 0]));
  const spoiled = new Map<string, number>();
  let begun = 0;
  let writing: { readonly key: string; readonly handle: FileHandle } | undefined;

  const fileOf = (key: string) => join(folder, key);

  async function takeBegun(name: string): Promise<void> {
    const key = name.endsWith(PART) ? name.slice(0, -PART.length) : name;
    const file = join(folder, name);
    const stats = await lstat(file);
    const size = wanted.get(key);
    if (size === undefined || !missing.has(key) || !stats.isFile() || stats.size > size) {
      await rm(file, { recursive: true, force: true });
    } else if (stats.size === size) {
      await finish(key, file);
    } else if (name === key || begun === MAX_BEGUN) {
      await rm(file);
    } else {
      begun++;
      missing.set(key, stats.size);
    }
  }

  /** Takes a content of full size for what it is, or throws it away. */
  async function finish(key: string, file: string): Promise<void> {
    if ((await hashFile(file)) === key) {
      if (file !== fileOf(key)) await rename(file, fileOf(key));
      missing.delete(key);
      return;
    }
    await rm(file, { force: true });
    missing.set(key, 0);
  }

  async function close(): Promise<void> {
    const open = writing;
    writing = undefined;
    await open?.handle.close();
  }

  async function handleOf(key: string): Promise<FileHandle> {
    if (writing?.key === key) return writing.handle;
    await close();
    writing = { key, handle: await open(fileOf(key) + PART, APPEND_FLAGS) };
    return writing.handle;
  }

  async function write(key: string, data: Uint8Array): Promise<void> {
    const handle = await handleOf(key);
    for (let written = 0; written < data.length;) {
      const { bytesWritten } = await handle.write(data, written);
      written += bytesWritten;
      missing.set(key, (missing.get(key) ?? 0) + bytesWritten);
    }
  }

  return {
    async start() {
      // In order: a whole content comes before its part, which then is of no use.
      const names = await readdir(folder);
      for (const name of names.toSorted()) await takeBegun(name);
    },
    missing: () => missing,
    get heldBytes() {
      let bytes = 0;
      for (const [key, size] of wanted) bytes += missing.get(key) ?? size;
      return bytes;
    },
    async add(key, offset, data) {
      const held = missing.get(key);
      const size = wanted.get(key) ?? 0;
      if (held === undefined) throw badRelease("a content came that nobody asked for");
      if (offset !== held) throw badRelease(`a piece came for byte ${offset} instead of ${held}`);
      if (held + data.length > size) throw badRelease(`a content has more than its ${size} bytes`);
      await write(key, data);
      if (held + data.length < size) return;
      const handle = await handleOf(key);
      await handle.sync();
      await close();
      await finish(key, fileOf(key) + PART);
      if (!missing.has(key)) return;
      const times = (spoiled.get(key) ?? 0) + 1;
      spoiled.set(key, times);
      if (times >= MAX_SPOILED) {
        throw badRelease(`the content ${key} came ${times} times with another hash`);
      }
    },
    fileOf,
    close,
  };
}
