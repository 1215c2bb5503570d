import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** What is missing where no small disk can be made, for messages. */
export const SMALL_DISK_NEEDED =
  "a small disk of its own (Linux with unshare, nsenter and leave to make a mount namespace)";

const PAGE_BYTES = 4_096;

/** A file system of a few megabytes that only some processes see. It goes with the process that holds it, however that ends. */
export interface SmallDisk {
  /** The folder, as those see it who run within. */
  readonly folder: string;
  /** The same folder, as this process sees it. */
  readonly outside: string;
  /** What to put before a command that is to run within, in a working directory; as another user, if root wants that. */
  within(workingDirectory: string, user?: { readonly uid: number; readonly gid: number }): string[];
  /** Takes all room but so many bytes, 0 by default. */
  fill(exceptBytes?: number): void;
  /** Gives back what {@link SmallDisk.fill} took. */
  makeRoom(): void;
  close(): Promise<void>;
}

/** Makes a small disk; undefined where this machine does not let one. */
export async function createSmallDisk(sizeBytes: number): Promise<SmallDisk | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "realmwire-disk-"));
  // As root no other user is needed, so that a process within may still become somebody else.
  const isRoot = process.getuid?.() === 0;
  const unshare = ["--mount", ...(isRoot ? [] : ["--user", "--map-root-user"])];
  const script = `mount -t tmpfs -o size=${sizeBytes},mode=777 tmpfs "$0" && echo mounted && exec sleep 3600`;
  const holder = spawn("unshare", [...unshare, "sh", "-c", script, folder], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = once(holder, "close").catch(() => []);
  const mounted = await Promise.race([once(holder.stdout, "data"), ended.then(() => undefined)]);
  const { pid } = holder;
  const enter = ["nsenter", "-t", `${pid}`, "--mount"];
  if (!isRoot) enter.push("--user", "--preserve-credentials");
  if (mounted === undefined || !(await canRun([...enter, "true"]))) {
    holder.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
    return undefined;
  }
  const outside = `/proc/${pid}/root${folder}`;
  const ballast = join(outside, "ballast");
  return {
    folder,
    outside,
    within(workingDirectory, user) {
      const become = user ? ["--setuid", `${user.uid}`, "--setgid", `${user.gid}`] : [];
      return [...enter, ...become, `--wdns=${workingDirectory}`, "--"];
    },
    fill(exceptBytes = 0) {
      const file = openSync(ballast, "a");
      try {
        for (;;) writeSync(file, Buffer.alloc(PAGE_BYTES));
      } catch {
        // Full, which is the point.
      } finally {
        closeSync(file);
      }
      if (exceptBytes > 0) truncateSync(ballast, Math.max(0, statSync(ballast).size - exceptBytes));
    },
    makeRoom: () => rmSync(ballast, { force: true }),
    async close() {
      holder.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function canRun([program = "", ...args]: readonly string[]): Promise<boolean> {
  return promisify(execFile)(program, args).then(
    () => true,
    () => false,
  );
}
