import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** Letters of a server's address in the name of its file. */
const MAX_NAME_LETTERS = 60;

/** The token of an admin's session at a server, in a file that only its owner can read. */
export interface SessionFile {
  read(): Promise<string | undefined>;
  write(token: string): Promise<void>;
  delete(): Promise<void>;
}

/**
 * The file of a server's session in `$XDG_STATE_HOME/realmwire`, by default `~/.local/state/realmwire`: one for each address, and one for
 * each user that is named. It is not that of the game's own client, whose session plays a character.
 */
export function createSessionFile(env: NodeJS.ProcessEnv, url: string, user: string): SessionFile {
  const path = join(stateFolder(env), nameOf(url, user));
  return {
    async read() {
      const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return "";
        throw error;
      });
      return text.trim() || undefined;
    },
    async write(token) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      // Whole or not at all, and never readable by others, not even for a moment.
      const draft = `${path}.${process.pid}`;
      await writeFile(draft, `${token}\n`, { mode: 0o600 });
      await rename(draft, path);
    },
    delete: () => rm(path, { force: true }),
  };
}

function stateFolder(env: NodeJS.ProcessEnv): string {
  // By the specification a path that is not absolute counts as not set.
  const told = env["XDG_STATE_HOME"];
  const base = told?.startsWith("/") ? told : join(env["HOME"] || homedir(), ".local", "state");
  return join(base, "realmwire");
}

/** The digest keeps apart what looks alike once letters that files cannot have are gone. */
function nameOf(url: string, user: string): string {
  const readable = `${new URL(url).host}${user && `-${user}`}`.replaceAll(/[^\w.-]/g, "_");
  const digest = createHash("sha256").update(`${url}\n${user}`).digest("hex").slice(0, 8);
  return `admin-${readable.slice(0, MAX_NAME_LETTERS)}-${digest}`;
}
