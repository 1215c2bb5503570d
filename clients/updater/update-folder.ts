import { rm, rmdir, statfs, mkdir, lstat } from "node:fs/promises";
import type { Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { toRealmwireError } from "../ts/errors.ts";
import { buildNext, chooseSources, type Source } from "./build-folder.ts";
import { createContentStore } from "./content-store.ts";
import { createDownloads, type Downloads, ReleaseChangedError } from "./download.ts";
import { explainFileError, orMissing, UpdateError } from "./errors.ts";
import { findLayout, makeOwnFolder, type Layout } from "./layout.ts";
import { takeLock } from "./lock.ts";
import { writeInstalled } from "./manifest-file.ts";
import type { Renamed } from "./own-files.ts";
import { isNoted, isUpToDate, makePlan, type Plan, releasedIn } from "./plan.ts";
import { createRetries, type Retry, type RetryPolicy } from "./retries.ts";
import { finishSwap, recover, swap } from "./swap.ts";

/** How often an update begins anew because the release was published anew meanwhile. */
const MAX_PLANS = 3;
/** Room for folders and notes besides the contents, in bytes. */
const SPARE_BYTES = 1024 * 1024;

/** How far an update is. */
export type UpdateProgress =
  /** The files of the folder are read. */
  | { readonly kind: "checking"; readonly bytes: number; readonly totalBytes: number }
  /** Contents arrive. `bytes` also counts what an earlier run fetched. */
  | { readonly kind: "downloading"; readonly bytes: number; readonly totalBytes: number }
  /** The connection was lost, or the server asked to wait. */
  | ({ readonly kind: "waiting" } & Retry)
  /** The next client is put together and takes its place. */
  | { readonly kind: "installing" };

/** Settings of {@link updateFolder}. */
export interface UpdateOptions {
  /** The client's folder. One that is missing or empty becomes a new client. */
  readonly folder: string;
  /** The server, such as `https://play.example.org`. */
  readonly baseUrl?: string;
  /** Another way to the server than `fetch`; then `baseUrl` is only noted. */
  readonly transport?: Transport;
  /** Default: that of the folder, or the only one that the server offers. */
  readonly platform?: string;
  /** The release to become. Default: the current one. */
  readonly version?: string;
  /**
   * The release that a folder holds which this updater did not make. `unknown`: all files in it are the user's, and kept.
   * Default: what the folder says.
   */
  readonly from?: string;
  readonly onProgress?: (progress: UpdateProgress) => void;
  /** Ends the update. What was fetched is kept for the next one. */
  readonly signal?: AbortSignal;
  /** How it goes on after a loss of the connection. */
  readonly retry?: Partial<RetryPolicy>;
}

/** What an update would change. */
export interface UpdateCheck {
  readonly platform: string;
  /** The release, and the one before as far as it is known. */
  readonly version: string;
  readonly versionBefore: string | undefined;
  /** Paths below the folder. */
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** Bytes of contents that the folder lacks. */
  readonly bytes: number;
  readonly upToDate: boolean;
}

/** What an update has changed. */
export interface UpdateReport extends UpdateCheck {
  /** What the user had where the release has something, and where it is now. */
  readonly renamed: readonly Renamed[];
}

/**
 * Says what {@link updateFolder} would change, and changes nothing. Rejects with an `UpdateError`, a `RealmwireError` or the
 * signal's reason.
 */
export async function checkFolder(options: UpdateOptions): Promise<UpdateCheck> {
  const { folder } = await findLayout(options.folder);
  try {
    const calls = createCalls(options);
    return toCheck(await makePlan({ ...planOptions(options, calls), folder }));
  } catch (error) {
    throw explainFileError(error, folder);
  }
}

/**
 * Makes a client's folder byte for byte a release of the server. Fetches only what the folder lacks, goes on where an earlier run
 * ended, checks every hash, and swaps folders at the end; until then the old client is not touched. What is not of the release
 * before stays. Rejects with an `UpdateError`, a `RealmwireError` or the signal's reason.
 */
export async function updateFolder(options: UpdateOptions): Promise<UpdateReport> {
  const layout = await findLayout(options.folder);
  try {
    await mkdir(layout.parent, { recursive: true });
    await makeOwnFolder(layout.staging);
    const lock = takeLock(layout.lock);
    try {
      return await updateLocked(options, layout);
    } finally {
      await tidy(layout, lock.release);
    }
  } catch (error) {
    throw explainFileError(error, layout.folder);
  }
}

interface Calls {
  readonly downloads: Downloads;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: UpdateProgress) => void;
}

function createCalls(options: UpdateOptions): Calls {
  const { baseUrl, signal = new AbortController().signal, onProgress = () => {} } = options;
  if (baseUrl === undefined && options.transport === undefined) {
    throw new TypeError("an update needs a baseUrl or a transport");
  }
  const transport =
    options.transport ?? createConnectTransport({ baseUrl: baseUrl ?? "", useBinaryFormat: true });
  const retries = createRetries({
    signal,
    onRetry: (retry) => onProgress({ kind: "waiting", ...retry }),
    ...(baseUrl !== undefined && { address: baseUrl }),
    ...(options.retry && { policy: options.retry }),
  });
  return { downloads: createDownloads({ transport, retries, signal }), signal, onProgress };
}

function planOptions(options: UpdateOptions, { downloads, signal, onProgress }: Calls) {
  const { platform, version, from } = options;
  const onBytes = (bytes: number, totalBytes: number) =>
    onProgress({ kind: "checking", bytes, totalBytes });
  return { platform, version, from, downloads, signal, onBytes };
}

async function updateLocked(options: UpdateOptions, layout: Layout): Promise<UpdateReport> {
  const calls = createCalls(options);
  await recover(layout);
  for (let plans = 1; ; plans++) {
    const plan = await makePlan({ ...planOptions(options, calls), folder: layout.folder });
    try {
      const renamed = await carryOut(plan, layout, calls, options.baseUrl);
      return { ...toCheck(plan), renamed };
    } catch (error) {
      if (!(error instanceof ReleaseChangedError)) throw error;
      if (plans >= MAX_PLANS) throw toRealmwireError(error);
    }
  }
}

async function carryOut(
  plan: Plan,
  layout: Layout,
  { downloads, signal, onProgress }: Calls,
  url: string | undefined,
): Promise<Renamed[]> {
  const { manifest, wanted, local } = plan;
  const { folder, contents } = layout;
  const noted = url ?? plan.installed?.url;
  if (isUpToDate(plan)) {
    if (!isNoted(plan, noted)) await writeInstalled(folder, { manifest, url: noted });
    await rm(contents, { recursive: true, force: true });
    return [];
  }
  await makeOwnFolder(contents);
  const store = createContentStore({ folder: contents, wanted });
  await store.start();
  const sources = chooseSources({ files: manifest.files, folder, local, fileOf: store.fileOf });
  const totalBytes = [...wanted.values()].reduce((sum, size) => sum + size, 0);
  await requireRoom(layout, totalBytes - store.heldBytes + bytesToCopy(sources));
  const tell = () => onProgress({ kind: "downloading", bytes: store.heldBytes, totalBytes });
  if (wanted.size > 0) tell();
  await downloads.fetchContents(manifest, store, tell);
  onProgress({ kind: "installing" });
  const releasedBefore = releasedIn(plan);
  const installed = { manifest, url: noted };
  const renamed = await buildNext({ layout, sources, installed, releasedBefore, signal });
  signal.throwIfAborted();
  await swap(layout, releasedBefore);
  await finishSwap(layout);
  return renamed;
}

function bytesToCopy(sources: readonly Source[]): number {
  const copies = sources.filter(({ how }) => how === "copy");
  return copies.reduce((sum, { file }) => sum + Number(file.size), 0);
}

/** Refuses to begin what cannot end: rejects when the disk has less room than is needed. */
async function requireRoom({ staging, folder }: Layout, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(staging);
  const needed = bytes + SPARE_BYTES;
  if (bavail * bsize >= needed) return;
  throw new UpdateError(
    "disk-full",
    `the disk of ${folder} has ${bavail * bsize} bytes free, and the update needs ${needed}`,
  );
}

function toCheck(plan: Plan): UpdateCheck {
  const { manifest, before, added, changed, removed, wanted } = plan;
  const { platform, version } = manifest.release;
  return {
    platform,
    version,
    versionBefore: before?.release.version,
    added,
    changed,
    removed,
    bytes: [...wanted.values()].reduce((sum, size) => sum + size, 0),
    upToDate: isUpToDate(plan),
  };
}

/** Leaves of the staging folder only what the next run needs: contents, or the old client of a swap that failed in its middle. */
async function tidy(layout: Layout, releaseLock: () => void): Promise<void> {
  const { staging, contents, next, previous, previousFiles } = layout;
  try {
    if ((await orMissing(lstat(previous))) === undefined) {
      await rm(next, { recursive: true, force: true });
      await rm(previousFiles, { force: true });
    }
    await rmdir(contents).catch(() => undefined);
  } finally {
    releaseLock();
    await rmdir(staging).catch(() => undefined);
  }
}
