import { readdir } from "node:fs/promises";
import { equals } from "@bufbuild/protobuf";
import { ReleaseManifestSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { toHex } from "./digest.ts";
import type { Downloads } from "./download.ts";
import { orMissing, UpdateError } from "./errors.ts";
import { knowsExecutables, type LocalFile, readLocalFiles } from "./local-files.ts";
import { type Installed, readInstalled } from "./manifest-file.ts";
import { MANIFEST_FILE, type SafeManifest } from "./safe-manifest.ts";

/** Stands for a release that nobody knows: all files are the user's then. */
export const UNKNOWN_RELEASE = "unknown";

/** What is to be done to a client's folder. */
export interface Plan {
  readonly manifest: SafeManifest;
  /** What the folder says of itself; undefined when it says nothing. */
  readonly installed: Installed | undefined;
  /** The release that the folder holds, as far as it is known. */
  readonly before: SafeManifest | undefined;
  /** Files of both releases as they lie in the folder, by path. */
  readonly local: ReadonlyMap<string, LocalFile>;
  /** Contents that the folder lacks: their sizes by their hashes in hex. */
  readonly wanted: ReadonlyMap<string, number>;
  /** Paths of the release that the folder lacks. */
  readonly added: readonly string[];
  /** Paths whose content, or whether they are executable, differs. */
  readonly changed: readonly string[];
  /** Paths of the release before that the next one does not have. */
  readonly removed: readonly string[];
}

/** What {@link makePlan} needs. */
export interface PlanOptions {
  readonly folder: string;
  readonly downloads: Downloads;
  readonly platform: string | undefined;
  readonly version: string | undefined;
  readonly from: string | undefined;
  readonly onBytes: (bytes: number, totalBytes: number) => void;
  readonly signal: AbortSignal;
}

/** Compares a client's folder with a release of the server. Writes nothing. */
export async function makePlan(options: PlanOptions): Promise<Plan> {
  const { folder, downloads, version = "", from } = options;
  const installed = await readInstalled(folder);
  if (installed === undefined && from === undefined) await requireEmpty(folder);
  const platform = options.platform ?? installed?.manifest.release.platform ?? "";
  let before = from === undefined ? installed?.manifest : undefined;
  if (from !== undefined && from !== UNKNOWN_RELEASE) {
    before = await downloads.fetchManifest({ platform, version: from }, []);
  }
  const have = before?.files.map(({ sha256 }) => sha256) ?? [];
  const manifest = await downloads.fetchManifest({ platform, version }, have);
  const paths = new Set([...(before?.files ?? []), ...manifest.files].map(({ path }) => path));
  const sizes = new Set(manifest.files.map(({ size }) => Number(size)));
  const { signal } = options;
  let bytes = 0;
  const onBytes = (more: number, total: number) => options.onBytes((bytes += more), total);
  const local = await readLocalFiles({ folder, paths, sizes, onBytes, signal });
  return { manifest, installed, before, local, ...compare(manifest, before, local) };
}

function compare(
  manifest: SafeManifest,
  before: SafeManifest | undefined,
  local: ReadonlyMap<string, LocalFile>,
) {
  const held = new Set([...local.values()].map(({ sha256 }) => sha256));
  const wanted = new Map<string, number>();
  const added: string[] = [];
  const changed: string[] = [];
  for (const { path, size, sha256, executable } of manifest.files) {
    const key = toHex(sha256);
    if (!held.has(key)) wanted.set(key, Number(size));
    const file = local.get(path);
    if (file === undefined) added.push(path);
    else if (file.sha256 !== key || (file.executable !== executable && knowsExecutables())) {
      changed.push(path);
    }
  }
  const released = new Set(manifest.files.map(({ path }) => path));
  const removed = (before?.files ?? [])
    .map(({ path }) => path)
    .filter((path) => local.has(path) && !released.has(path));
  return { wanted, added, changed, removed };
}

/** Whether nothing is to be done but perhaps to note the release's name. */
export function isUpToDate({ added, changed, removed }: Plan): boolean {
  return added.length + changed.length + removed.length === 0;
}

/** Whether the folder says what it is to say already. */
export function isNoted({ installed, manifest }: Plan, url: string | undefined): boolean {
  if (installed === undefined || (url !== undefined && installed.url !== url)) return false;
  const now = { ...manifest, bytesToSend: 0n };
  return equals(ReleaseManifestSchema, now, installed.manifest);
}

/** Paths that are the release's and not the user's: those of the one before, and those that are as the next one has them. */
export function releasedIn({ before, manifest, local }: Plan): Set<string> {
  const same = manifest.files.filter(
    ({ path, sha256 }) => local.get(path)?.sha256 === toHex(sha256),
  );
  return new Set([...(before?.files ?? []), ...same].map(({ path }) => path));
}

async function requireEmpty(folder: string): Promise<void> {
  const entries = (await orMissing(readdir(folder))) ?? [];
  if (entries.length === 0) return;
  const why = entries.includes(MANIFEST_FILE)
    ? `its ${MANIFEST_FILE} cannot be read`
    : `it has no ${MANIFEST_FILE}`;
  throw new UpdateError(
    "unknown-folder",
    `${folder} does not say which release it holds: ${why}. Say which (such as "1.0.0"), or "${UNKNOWN_RELEASE}" to keep all files that the new one does not have`,
  );
}
