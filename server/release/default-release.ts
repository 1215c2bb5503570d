import { randomUUID } from "node:crypto";
import { cp, lstat, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Releases } from "./releases.ts";
import { compareSemver } from "./semver.ts";

/** The platform that the server's own SDK is offered as. */
const DEFAULT_PLATFORM = "typescript";

/** Folders that stay behind: packages, and what only tests use. */
const NOT_OF_SDK = new Set(["node_modules", "testing"]);

/** What {@link ensureDefaultRelease} needs. */
export interface DefaultReleaseOptions {
  /** The folder of all releases; created if need be. */
  readonly clientsDir: string;
  /** What the release is made of: folders, and where in the release their content goes. */
  readonly sources: readonly { readonly from: string; readonly to: string }[];
  /** Files that are made for it: their texts by their paths. */
  readonly texts?: Readonly<Record<string, string>>;
  /** The server's own version. */
  readonly version: string;
  /** Where it is published; started. */
  readonly releases: Pick<Releases, "current" | "publish">;
}

/**
 * Offers the server's own TypeScript SDK: copies it, without tests, into the folder of its release unless that
 * exists, and publishes it unless this or a newer one is current.
 */
export async function ensureDefaultRelease(options: DefaultReleaseOptions): Promise<void> {
  const { clientsDir, version, releases } = options;
  const folder = join(clientsDir, DEFAULT_PLATFORM, version);
  if (!(await exists(folder))) {
    await copyAtOnce(options, folder);
  }
  const current = releases.current(DEFAULT_PLATFORM);
  if (current === undefined || compareSemver(current.info.version, version) < 0) {
    await releases.publish({ platform: DEFAULT_PLATFORM, version });
  }
}

/** The folder appears whole or not at all, also when the server dies in between or two servers do it at once. */
async function copyAtOnce(options: DefaultReleaseOptions, folder: string): Promise<void> {
  const draft = join(options.clientsDir, `.${DEFAULT_PLATFORM}-${options.version}-${randomUUID()}`);
  try {
    for (const { from, to } of options.sources) {
      // A link in the sources is taken for what it points to: an image holds files only.
      await cp(from, join(draft, to), { recursive: true, dereference: true, filter: isPartOfSdk });
    }
    for (const [path, text] of Object.entries(options.texts ?? {})) {
      await writeFile(join(draft, path), text);
    }
    await mkdir(dirname(folder), { recursive: true });
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(folder))) {
      throw error;
    }
  }
}

function isPartOfSdk(path: string): boolean {
  const name = basename(path);
  return !name.startsWith(".") && !name.endsWith(".test.ts") && !NOT_OF_SDK.has(name);
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
