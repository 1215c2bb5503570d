// Makes the folder ready to run: installs what the lockfile names and sees to Node 24. Every npm script
// runs it first, so it must be quick and quiet when nothing is to be done. It is plain JavaScript because
// it runs on whatever Node (18 or newer) the machine has.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The oldest Node that runs the server's `.ts` files and that its dependencies accept. */
const NODE_MAJOR = 24;
/** How long to wait for another setup of the same folder: a slow install on a slow line. */
const LOCK_TIMEOUT_MS = 10 * 60_000;
/** How often to look whether the other setup has ended. */
const LOCK_POLL_MS = 200;

const root = fileURLToPath(new URL("..", import.meta.url));
const lockfile = join(root, "package-lock.json");
const installed = join(root, "node_modules", ".package-lock.json");
const bundled = `node-${process.platform}-${process.arch}`;
const bundledBinary = join(root, "node_modules", bundled, "bin", "node");
const nodeLink = join(root, "node_modules", ".bin", "node");

if (isStale() || isLinkMissing()) {
  lock();
  // The other setup may have done all of it while this one waited.
  if (isStale()) install();
  if (existsSync(bundledBinary)) linkNode();
}
checkNode();

/** Whether the lockfile is newer than what is installed. */
function isStale() {
  if (!existsSync(installed)) return true;
  return statSync(installed).mtimeMs < statSync(lockfile).mtimeMs;
}

function isLinkMissing() {
  return existsSync(bundledBinary) && !existsSync(nodeLink);
}

function install() {
  console.log("Installing the packages that package-lock.json names. This takes a moment …");
  const started = Date.now();
  const result = runNpm(["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (result.error || result.status !== 0) {
    fail(
      `Installing failed${result.error ? `: ${result.error.message}` : ""}. See the lines above; ` +
        "`npm ci` shows more. Is the package registry within reach?",
    );
  }
  const now = new Date();
  utimesSync(installed, now, now);
  console.log(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}

/** Runs the npm that started this script; without one, the npm of the machine. */
function runNpm(args) {
  const options = { cwd: root, stdio: ["ignore", "ignore", "inherit"] };
  const cli = process.env.npm_execpath;
  if (cli && /npm-cli\.c?js$/.test(cli))
    return spawnSync(process.execPath, [cli, ...args], options);
  return spawnSync("npm", args, { ...options, shell: process.platform === "win32" });
}

/**
 * Puts the bundled Node into `node_modules/.bin`, where npm scripts find it. npm does that too, but npm 10
 * takes the link away again when it drops the package for the other processor, whose link has the same name.
 */
function linkNode() {
  rmSync(nodeLink, { force: true });
  const works = spawnSync(bundledBinary, ["--version"], { stdio: "ignore" }).status === 0;
  // On a Linux without glibc it does not run, and then the machine's own Node must do.
  if (works) symlinkSync(join("..", bundled, "bin", "node"), nodeLink);
}

/** Ends with an explanation when npm scripts would run on a Node that is too old. */
function checkNode() {
  if (existsSync(nodeLink)) return;
  const version = process.versions.node;
  if (Number.parseInt(version, 10) >= NODE_MAJOR) return;
  fail(
    `Realmwire needs Node ${NODE_MAJOR} or newer; this is Node ${version}. For most Linux machines the packages ` +
      `bring one along, for this one (${process.platform}, ${process.arch}) they do not. Please install ` +
      `Node ${NODE_MAJOR} (https://nodejs.org) and run the command again.`,
  );
}

/** Keeps a second setup of this folder waiting until this process ends. */
function lock() {
  const id = createHash("sha256").update(root).digest("hex").slice(0, 16);
  const path = join(tmpdir(), `realmwire-setup-${id}.lock`);
  const deadline = Date.now() + LOCK_TIMEOUT_MS;
  let told = false;
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx" });
      process.once("exit", () => rmSync(path, { force: true }));
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (!isHolderAlive(path)) {
      rmSync(path, { force: true });
      continue;
    }
    if (Date.now() > deadline)
      fail(`Another setup does not end. If there is none, delete ${path}.`);
    if (!told) console.log("Waiting for another setup of this folder …");
    told = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS);
  }
}

function isHolderAlive(path) {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    // The holder has made the file and not yet written its number.
    if (pid === 0) return Date.now() - statSync(path).mtimeMs < 5_000;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: alive, but another user's.
    return error.code === "EPERM";
  }
}

function fail(message) {
  console.error(`\n${message}\n`);
  process.exit(1);
}
