import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Storage } from "../ts/index.ts";

/** Letters of a server's address in the name of its file. */
const MAX_NAME_LETTERS = 60;

/** Where sessions are kept: `$XDG_STATE_HOME/realmwire`, by default `~/.local/state/realmwire`. */
export function stateFolder(env: NodeJS.ProcessEnv): string {
  // By the specification a path that is not absolute counts as not set.
  const told = env["XDG_STATE_HOME"];
  const base = told?.startsWith("/") ? told : join(env["HOME"] || homedir(), ".local", "state");
  return join(base, "realmwire");
}

/**
 * The file of a server's session: one for each address, and one more for each user that is named with `--user`. The digest keeps apart what
 * looks alike once letters that files cannot have are gone.
 */
export function sessionPath(folder: string, url: string, user: string): string {
  const readable = `${new URL(url).host}${user && `-${user}`}`.replaceAll(/[^\w.-]/g, "_");
  const digest = createHash("sha256").update(`${url}\n${user}`).digest("hex").slice(0, 8);
  return join(folder, `session-${readable.slice(0, MAX_NAME_LETTERS)}-${digest}.json`);
}

/** A storage in a file that only its owner can read. It holds one entry: the session of one server. */
export function createFileStorage(path: string): Storage {
  return {
    async get() {
      return await readFile(path, "utf8").catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
    },
    async set(_key, value) {
      await mkdir(join(path, ".."), { recursive: true, mode: 0o700 });
      // Whole or not at all, and never readable by others, not even for a moment.
      const draft = `${path}.${process.pid}`;
      await writeFile(draft, value, { mode: 0o600 });
      await rename(draft, path);
    },
    remove: () => rm(path, { force: true }),
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
