// Loaded with `--import`: kills its process by SIGKILL just before the file system is changed for the so many-th time, as
// REALMWIRE_KILL_AT says. With REALMWIRE_KILL_AT=0 it only counts, and tells the number at the end.
import { syncBuiltinESMExports } from "node:module";
import promises, { type FileHandle } from "node:fs/promises";

/** Calls that change something. Those which only read make no new state. */
const CHANGING = [
  "chmod",
  "copyFile",
  "link",
  "mkdir",
  "rename",
  "rm",
  "rmdir",
  "symlink",
  "utimes",
] as const;
const CHANGING_OF_HANDLE = ["write", "writeFile"] as const;

const killAt = Number(process.env["REALMWIRE_KILL_AT"]);
let calls = 0;

function count(): void {
  calls++;
  if (calls === killAt) process.kill(process.pid, "SIGKILL");
}

function countCallsOf(holder: object, name: string): void {
  const original: unknown = Reflect.get(holder, name);
  if (typeof original !== "function") throw new Error(`there is no ${name}`);
  Reflect.set(holder, name, function counted(this: unknown, ...args: unknown[]): unknown {
    count();
    return Reflect.apply(original, this, args);
  });
}

const probe: FileHandle = await promises.open(import.meta.filename);
for (const name of CHANGING_OF_HANDLE) countCallsOf(Object.getPrototypeOf(probe) as object, name);
await probe.close();
for (const name of CHANGING) countCallsOf(promises, name);
syncBuiltinESMExports();
if (killAt === 0) process.on("exit", () => process.stderr.write(`CALLS ${calls}\n`));
