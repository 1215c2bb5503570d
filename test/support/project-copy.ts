import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import {
  copyFile,
  cp,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rm,
  symlink,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { root } from "./server.ts";

const run = promisify(execFile);

/** A copy of the project as it stands in the working tree, in which everything may be changed. */
export interface ProjectCopy {
  readonly folder: string;
  dispose(): Promise<void>;
}

/** Copies what git knows or would add. The installed packages are shared: their files are links, so they must not be written in place. */
export async function copyProject(): Promise<ProjectCopy> {
  const folder = await mkdtemp(join(tmpdir(), "realmwire-copy-"));
  const listed = await run(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    {
      cwd: root,
      maxBuffer: 16 * 1024 * 1024,
    },
  );
  for (const path of listed.stdout.split("\0")) {
    if (path === "" || !existsSync(join(root, path))) continue;
    await mkdir(dirname(join(folder, path)), { recursive: true });
    // The time of the lockfile tells whether the packages are up to date.
    await cp(join(root, path), join(folder, path), { preserveTimestamps: true });
  }
  await linkFolder(join(root, "node_modules"), join(folder, "node_modules"));
  return { folder, dispose: () => rm(folder, { recursive: true, force: true }) };
}

async function linkFolder(from: string, to: string): Promise<void> {
  await mkdir(to);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await linkFolder(source, target);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    // On another disk there can be no link.
    else await link(source, target).catch(() => copyFile(source, target));
  }
}
