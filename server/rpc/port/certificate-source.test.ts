import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { afterEach, expect, test } from "vitest";
import type { CertificateTexts } from "../../../scripts/make-certificate.ts";
import {
  type CertificateFolder,
  createCertificateFolder,
  makeTestCertificate,
} from "../../../test/support/certificate.ts";
import { createMemoryLog } from "../../../test/support/rpc-server.ts";
import type { CertificateFiles } from "./tls-certificate.ts";
import { type CertificateSource, createCertificateSource } from "./certificate-source.ts";
import { createPort } from "./port.ts";
import { sendPlain } from "../transport/plain-answer.ts";

const QUICK = { watchIntervalMs: 20, settleMs: 40, datesIntervalMs: 30 };

const closers: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function newFolder(pair?: CertificateTexts): Promise<CertificateFolder> {
  const folder = await createCertificateFolder(pair);
  closers.push(() => folder.dispose());
  return folder;
}

async function start(files: CertificateFiles, now = Date.now) {
  const { logger, lines } = createMemoryLog();
  const { certFile, keyFile } = files;
  const source = createCertificateSource({ certFile, keyFile, logger, now, ...QUICK });
  await source.start();
  closers.push(() => source.close());
  return { source, lines };
}

function served({ current }: CertificateSource): string {
  return String(current.cert);
}

test("before it was started there is none, and one that cannot be served ends the start", async () => {
  const { certFile, keyFile } = await newFolder();
  const { logger } = createMemoryLog();
  const source = createCertificateSource({ certFile, keyFile, logger, now: Date.now });
  expect(() => source.current).toThrow(/not read yet/);
  await writeFile(keyFile, "nothing");
  await expect(source.start()).rejects.toThrow(/--tls-key/);
});

test("files that are written over, one after the other, are read once both are there", async () => {
  const folder = await newFolder();
  const { source, lines } = await start(folder);
  expect(served(source)).toBe(folder.cert);
  const next = await makeTestCertificate();
  await folder.replace(next);
  await expect.poll(() => served(source)).toBe(next.cert);
  expect(String(source.current.key)).toBe(next.key);
  expect(lines.map(({ level }) => level)).toEqual(["info", "info"]);
  expect(JSON.stringify(lines)).not.toContain("PRIVATE KEY");
});

test("files that are behind links are followed when the links are changed", async () => {
  const parent = await mkdtemp(join(tmpdir(), "realmwire-tls-"));
  closers.push(() => rm(parent, { recursive: true, force: true }));
  const [first, second] = [await makeTestCertificate(), await makeTestCertificate()];
  for (const [name, { cert, key }] of [["1", first] as const, ["2", second] as const]) {
    await mkdir(join(parent, name));
    await writeFile(join(parent, name, "cert.pem"), cert);
    await writeFile(join(parent, name, "key.pem"), key);
  }
  await symlink("1", join(parent, "live"));
  const { source } = await start({
    certFile: join(parent, "live/cert.pem"),
    keyFile: join(parent, "live/key.pem"),
  });
  expect(served(source)).toBe(first.cert);
  await symlink("2", join(parent, "next"));
  await rename(join(parent, "next"), join(parent, "live"));
  await expect.poll(() => served(source)).toBe(second.cert);
});

test("a pair that cannot be served is told, and the one before stays until there is a good one", async () => {
  const folder = await newFolder();
  const { source, lines } = await start(folder);
  const next = await makeTestCertificate();
  await writeFile(folder.keyFile, next.key);
  await expect.poll(() => lines.filter(({ level }) => level === "error")).toHaveLength(1);
  expect(String(lines.at(-1)?.fields["err"])).toMatch(/not the key of the certificate/);
  expect(served(source)).toBe(folder.cert);
  await rm(folder.certFile);
  await expect.poll(() => lines.filter(({ level }) => level === "error")).toHaveLength(2);
  expect(served(source)).toBe(folder.cert);
  await writeFile(folder.certFile, next.cert);
  await expect.poll(() => served(source)).toBe(next.cert);
});

test("it is read at once when it is asked to, and after close no more by itself", async () => {
  const folder = await newFolder();
  const { source, lines } = await start(folder);
  source.close();
  const next = await makeTestCertificate();
  await folder.replace(next);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(served(source)).toBe(folder.cert);
  await source.reload();
  expect(served(source)).toBe(next.cert);
  await source.reload();
  expect(lines).toHaveLength(2);
});

test("an expired certificate is served, with a warning", async () => {
  const folder = await newFolder();
  const { source, lines } = await start(folder, () => Date.now() + 3 * 86_400_000);
  expect(served(source)).toBe(folder.cert);
  expect(lines.at(-1)).toMatchObject({ level: "warn", message: /expired on/ });
});

test("a certificate that runs out while it is served is warned of in time, again and again", async () => {
  const folder = await newFolder();
  let passedMs = 0;
  const { lines } = await start(folder, () => Date.now() + passedMs);
  expect(lines.map(({ level }) => level)).toEqual(["info"]);
  passedMs = new X509Certificate(folder.cert).validToDate.getTime() - Date.now() - 60_000;
  const warnings = () => lines.filter(({ level }) => level === "warn");
  await expect.poll(() => warnings().length).toBeGreaterThan(1);
  expect(warnings()[0]).toMatchObject({ message: /expires on .*time for a new one/ });
});

test("a changed file serves new handshakes of a port, and what is open goes on", async () => {
  const folder = await newFolder();
  const { source } = await start(folder);
  const port = createPort({
    ...{ host: "127.0.0.1", port: 0, tls: { certificate: source, plaintext: false } },
    handler: (request, response) => sendPlain(request, response, 200, `at ${request.url}`),
  });
  const { port: number } = await port.start();
  closers.push(() => port.close({ timeoutMs: 100 }));
  const connect = async () => {
    const socket = tls.connect({ port: number, host: "127.0.0.1", rejectUnauthorized: false });
    socket.on("error", () => {});
    closers.push(() => void socket.destroy());
    await once(socket, "secureConnect");
    return socket;
  };
  const ask = async (socket: tls.TLSSocket, path: string) => {
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    return String(answer);
  };
  const early = await connect();
  expect(early.getPeerX509Certificate()?.toString()).toBe(folder.cert);
  expect(await ask(early, "/1")).toContain("at /1");
  const next = await makeTestCertificate();
  await folder.replace(next);
  await expect.poll(() => served(source)).toBe(next.cert);
  expect((await connect()).getPeerX509Certificate()?.toString()).toBe(next.cert);
  expect(await ask(early, "/2")).toContain("at /2");
});
