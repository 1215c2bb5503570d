import { createHash } from "node:crypto";
import { chmod, lstat, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { ReleaseService } from "../../gen/ts/realmwire/v1/release_service_pb.ts";
import { loginPlayer } from "./player.ts";

/** The platform of releases that tests make. */
export const PLATFORM = "test";
/** The updater's own file, which is not part of a release. */
const MANIFEST_FILE = ".realmwire-release.json";

/** A release: contents by paths. What is in `bin/` is executable. */
export type ReleaseFiles = Readonly<Record<string, Uint8Array | string>>;

/** Bytes that do not repeat, always the same ones for a seed. */
export function bytesOf(seed: string, size: number): Uint8Array {
  return new Uint8Array(createHash("shake256", { outputLength: size }).update(seed).digest());
}

const BIG = bytesOf("big", 300_000);

/** An old release and the next one, which differ in every way that two can. */
export const RELEASES = {
  "1.0.0": {
    "assets/big.bin": BIG,
    "assets/kept.bin": bytesOf("kept", 100_000),
    "assets/removed.bin": bytesOf("removed", 20_000),
    "bin/run": "#!/bin/sh\necho 1\n",
    "docs/größe.txt": "alt",
    empty: "",
    "moved/from.bin": bytesOf("moved", 50_000),
    "only/here/deep/down.txt": "gone later",
    thing: "a file",
    "things/one.txt": "a folder",
    tool: "#!/bin/sh\necho tool\n",
  },
  "2.0.0": {
    "assets/big.bin": Buffer.concat([BIG.subarray(0, 200_000), bytesOf("bigger", 500_000)]),
    "assets/kept.bin": bytesOf("kept", 100_000),
    "assets/new.bin": bytesOf("new", 150_000),
    "assets/twin.bin": bytesOf("new", 150_000),
    "bin/run": "#!/bin/sh\necho 2\n",
    "bin/tool": "#!/bin/sh\necho tool\n",
    "docs/größe.txt": "neu und länger",
    "docs/more/empty": "",
    "moved/to.bin": bytesOf("moved", 50_000),
    "thing/inside.txt": "a folder now",
    things: "a file now",
    tool: "#!/bin/sh\necho tool, newer\n",
  },
} as const satisfies Record<string, ReleaseFiles>;

/** Writes files below a folder. */
export async function writeTree(folder: string, files: ReleaseFiles): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    if (path.startsWith("bin/")) await chmod(file, 0o755);
  }
}

/** What is below a folder, by path: a file's rights and hash, a link's target, `empty` for a folder without anything in it. */
export async function readTree(folder: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    const path = relative(folder, file);
    if (path === MANIFEST_FILE) continue;
    if (entry.isSymbolicLink()) tree[path] = `link to ${await readlink(file)}`;
    else if (entry.isFile()) {
      const { mode } = await lstat(file);
      const hash = createHash("sha256")
        .update(await readFile(file))
        .digest("hex");
      tree[path] = `${(mode & 0o777).toString(8)} ${hash}`;
    } else if (entry.isDirectory() && (await readdir(file)).length === 0) tree[path] = "empty";
  }
  return Object.fromEntries(Object.entries(tree).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Publishes a release as an admin does: the folder first, then PublishRelease. Gives the folder. */
export async function publishFiles(
  server: { readonly baseUrl: string; readonly dataDir: string },
  version: string,
  files: ReleaseFiles,
  platform = PLATFORM,
): Promise<string> {
  const folder = join(server.dataDir, "clients", platform, version);
  await writeTree(folder, files);
  const admin = await loginPlayer(server.baseUrl, "admin");
  await admin.client(ReleaseService).publishRelease({ platform, version });
  await admin.account.logout({});
  admin.close();
  return folder;
}
