import { execFile } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { SmallDisk } from "./small-disk.ts";

const run = promisify(execFile);

/** Where Debian and its kin keep the programs, one folder for each version. */
const DEBIAN_ROOT = "/usr/lib/postgresql";

/** What is missing when `findPostgres` finds nothing, for messages. */
export const POSTGRES_NEEDED =
  "PostgreSQL (initdb and pg_ctl, in the PATH or under /usr/lib/postgresql)";

/** A throw-away PostgreSQL server. */
export interface PostgresServer {
  /** Creates an empty database and resolves to its URL. */
  createDatabase(): Promise<string>;
  /** Stops the server at once, as if its machine had failed. The data stays. */
  stop(): Promise<void>;
  /** Starts it again on the same port. */
  restart(): Promise<void>;
  /** Freezes all of its processes: connections stay open, and nobody answers. */
  pause(): Promise<void>;
  /** Lets them go on. */
  resume(): Promise<void>;
  /** Stops it and deletes its data. */
  close(): Promise<void>;
}

/** The folder with `initdb` and `pg_ctl`; undefined when this machine has none. */
export function findPostgres(): string | undefined {
  const path = (process.env["PATH"] ?? "").split(delimiter);
  const debian = existsSync(DEBIAN_ROOT)
    ? readdirSync(DEBIAN_ROOT)
        .toSorted((a, b) => Number(b) - Number(a))
        .map((version) => join(DEBIAN_ROOT, version, "bin"))
    : [];
  return [...debian, ...path].find((folder) =>
    ["initdb", "pg_ctl"].every((program) => existsSync(join(folder, program))),
  );
}

/**
 * Creates and starts a server on a free port of this machine. `programs` is what {@link findPostgres} found. With
 * `durable` each commit reaches the disk, as PostgreSQL does it unless told otherwise. Its databases are on the disk `tables`, which only root can do, its log is not.
 */
export async function startPostgres(
  programs: string,
  { durable = false, tables }: { readonly durable?: boolean; readonly tables?: SmallDisk } = {},
): Promise<PostgresServer> {
  const user = await ordinaryUser();
  const folder = mkdtempSync(join(tmpdir(), "realmwire-postgres-"));
  if (user) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const port = await freePort();
  let databases = 0;

  const within = tables?.within(folder, user) ?? [];
  const call = (program: string, args: string[]) => {
    const [file = "", ...rest] = [...within, join(programs, program), ...args];
    // Whoever enters a namespace has to be root, and becomes the user by that.
    return run(file, rest, { cwd: folder, ...(within.length === 0 && user) });
  };
  const start = () =>
    call("pg_ctl", [
      ...["start", "-w", "-D", data, "-l", join(folder, "log")],
      // Sockets of the system itself are not used, and a throw-away database need not reach the disk.
      ...[
        "-o",
        `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=${durable ? "on" : "off"}`,
      ],
    ]);
  const stop = () => call("pg_ctl", ["stop", "-w", "-m", "immediate", "-D", data]);
  const signal = async (name: "STOP" | "CONT") => {
    for (const pid of await serverProcesses(join(data, "postmaster.pid")))
      process.kill(pid, `SIG${name}`);
  };

  await call("initdb", ["-D", data, "-U", "realmwire", "-A", "trust", "-E", "UTF8", "--no-sync"]);
  await start();
  const login = ["-h", "127.0.0.1", "-p", `${port}`, "-U", "realmwire"];
  if (tables) {
    const place = join(tables.outside, "tables");
    mkdirSync(place);
    if (user) chownSync(place, user.uid, user.gid);
    const sql = `create tablespace small location '${join(tables.folder, "tables")}'`;
    await call("psql", [...login, "-d", "postgres", "-c", sql]);
  }
  return {
    async createDatabase() {
      const name = `test_${++databases}`;
      await call("createdb", [...login, ...(tables ? ["-D", "small"] : []), name]);
      return `postgres://realmwire@127.0.0.1:${port}/${name}`;
    },
    async stop() {
      await stop();
    },
    async restart() {
      await start();
    },
    pause: () => signal("STOP"),
    resume: () => signal("CONT"),
    async close() {
      await stop().catch(() => {});
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL refuses to run as root: then somebody else must run it. */
async function ordinaryUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    try {
      const [uid, gid] = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // No such user: the next one.
    }
  }
  throw new Error("Neither a user postgres nor a user nobody to run PostgreSQL as.");
}

/** The postmaster and its children. */
async function serverProcesses(pidFile: string): Promise<number[]> {
  const { stdout: head } = await run("head", ["-n", "1", pidFile]);
  const postmaster = Number(head);
  const { stdout: list } = await run("ps", ["-e", "-o", "pid=,ppid="]);
  const pairs = list
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const children = pairs.filter(([, parent]) => parent === postmaster).map(([pid]) => pid ?? 0);
  return [postmaster, ...children];
}

/** A port that nobody listened at just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === "string") throw new Error("No free port.");
  return address.port;
}
