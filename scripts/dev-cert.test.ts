import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readCertificate } from "../server/rpc/port/tls-certificate.ts";

const DAY_MS = 86_400_000;
const script = resolve(import.meta.dirname, "dev-cert.ts");
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "realmwire-tls-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [script, ...args])) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

const filesIn = (folder: string) => ({
  certFile: join(folder, "cert.pem"),
  keyFile: join(folder, "key.pem"),
});

async function modeOf(file: string): Promise<number> {
  return (await stat(file)).mode & 0o777;
}

test("it makes a pair that can be served, its key for the owner alone, and tells how to use it", async () => {
  const folder = join(dir, "new folder");
  const made = await run("--dir", folder, "--host", "play.test", "192.0.2.7", "--days", "30");
  expect(made).toMatchObject({ code: 0, stderr: "" });
  const { certFile, keyFile } = filesIn(folder);
  const { leaf } = await readCertificate({ certFile, keyFile });
  for (const name of ["localhost", "play.test"]) expect(leaf.checkHost(name)).toBe(name);
  for (const name of ["127.0.0.1", "::1", "192.0.2.7"]) expect(leaf.checkIP(name)).toBeDefined();
  expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBe(30 * DAY_MS);
  expect(await modeOf(keyFile)).toBe(0o600);
  expect((await readdir(folder)).toSorted()).toEqual(["cert.pem", "key.pem"]);
  expect(made.stdout).toContain(`npm start -- --tls-cert '${certFile}' --tls-key '${keyFile}'\n`);
  expect(made.stdout).toContain(`npx buf curl --cacert '${certFile}' https://localhost:8080/`);
  expect(made.stdout).toContain("play.test");
  expect(made.stdout).not.toContain("PRIVATE KEY");
});

test("what is there already stays, also if it is only one of both, unless it is forced", async () => {
  const { certFile, keyFile } = filesIn(dir);
  await writeFile(keyFile, "precious", { mode: 0o644 });
  const refused = await run("--dir", dir);
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toMatch(/key\.pem is there already: --force replaces it/);
  expect(await readFile(keyFile, "utf8")).toBe("precious");
  expect(await readdir(dir)).toEqual(["key.pem"]);
  expect((await run("--dir", dir, "--force")).code).toBe(0);
  await readCertificate({ certFile, keyFile });
  expect(await modeOf(keyFile)).toBe(0o600);
  const first = new X509Certificate(await readFile(certFile));
  expect((await run("--dir", dir)).code).toBe(2);
  expect(new X509Certificate(await readFile(certFile)).fingerprint256).toBe(first.fingerprint256);
});

test("what cannot be is refused with its option and its limit, and nothing is written", async () => {
  const refused: [args: string[], why: RegExp][] = [
    [["--days", "0"], /--days "0": .*from 1 to 397/],
    [["--days", "398"], /--days "398": .*from 1 to 397/],
    [["--days", "1.5"], /--days "1\.5"/],
    [["--host", "http://x"], /--host "http:\/\/x": must be a host name or an IP address/],
    [["--host", "ok", "fe80::1%eth0"], /--host "fe80::1%eth0"/],
    [["--host", `a.${"b".repeat(252)}`], /--host "a\.b+"/],
    [["--colour"], /unknown option/],
  ];
  for (const [args, why] of refused) {
    const { code, stderr } = await run("--dir", dir, ...args);
    expect(stderr).toMatch(why);
    expect(code).toBeGreaterThan(0);
  }
  expect(await readdir(dir)).toEqual([]);
  expect((await run("--dir", dir, "--host", `a.${"b".repeat(251)}`, "--days", "397")).code).toBe(0);
});
