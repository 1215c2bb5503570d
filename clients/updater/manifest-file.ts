import { constants } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { create, fromJson, toJson, type JsonValue } from "@bufbuild/protobuf";
import { ReleaseManifestSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { READ_FLAGS } from "./digest.ts";
import { orMissing } from "./errors.ts";
import { MANIFEST_FILE, requireSafeManifest, type SafeManifest } from "./safe-manifest.ts";

/** The largest manifest that is read, in bytes: 10,000 files with long paths have about 4 MiB. */
const MAX_BYTES = 32 * 1024 * 1024;

const WRITE_FLAGS =
  constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** What a client's folder says about itself. */
export interface Installed {
  readonly manifest: SafeManifest;
  /** The server that it came from. */
  readonly url: string | undefined;
}

/** Reads what a folder says about itself; undefined when it says nothing that can be understood. */
export async function readInstalled(folder: string): Promise<Installed | undefined> {
  const read = await readJson(join(folder, MANIFEST_FILE));
  if (read === undefined || typeof read !== "object" || read === null || Array.isArray(read)) {
    return undefined;
  }
  const { manifest: json = null, url } = read;
  try {
    const manifest = requireSafeManifest(fromJson(ReleaseManifestSchema, json));
    return { manifest, url: typeof url === "string" ? url : undefined };
  } catch {
    return undefined;
  }
}

/** Writes what a folder says about itself; whoever reads it meanwhile finds all of the old or all of the new. */
export async function writeInstalled(folder: string, installed: Installed): Promise<void> {
  const { manifest, url } = installed;
  const { release, files } = manifest;
  const json = toJson(ReleaseManifestSchema, create(ReleaseManifestSchema, { release, files }));
  await writeJson(join(folder, MANIFEST_FILE), { ...(url && { url }), manifest: json });
}

/** Reads a JSON file; undefined when it is missing, larger than 32 MiB, a link or no JSON. */
export async function readJson(file: string): Promise<JsonValue | undefined> {
  const handle = await orMissing(open(file, READ_FLAGS)).catch(() => undefined);
  if (handle === undefined) return undefined;
  await using _ = handle;
  const stats = await handle.stat();
  if (!stats.isFile() || stats.size > MAX_BYTES) return undefined;
  try {
    return JSON.parse(await handle.readFile("utf8")) as JsonValue;
  } catch {
    return undefined;
  }
}

/** Writes a JSON file at once and for good. */
export async function writeJson(file: string, value: JsonValue): Promise<void> {
  const draft = `${file}.new`;
  {
    await using handle = await open(draft, WRITE_FLAGS);
    await handle.writeFile(`${JSON.stringify(value)}\n`);
    await handle.sync();
  }
  await rename(draft, file);
}
