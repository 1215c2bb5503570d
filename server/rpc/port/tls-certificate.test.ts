import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CertificateTexts } from "../../../scripts/make-certificate.ts";
import { makeTestCertificate } from "../../../test/support/certificate.ts";
import { CertificateError, dateTroubleOf, readCertificate } from "./tls-certificate.ts";

const DAY_MS = 86_400_000;

let folder: string;
let good: CertificateTexts;
let other: CertificateTexts;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "realmwire-tls-"));
  [good, other] = await Promise.all([makeTestCertificate(), makeTestCertificate()]);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

let written = 0;
async function write(text: string | Buffer): Promise<string> {
  const file = join(folder, `${++written}.pem`);
  await writeFile(file, text);
  return file;
}

async function read({ cert, key }: { cert: string; key: string }) {
  return readCertificate({ certFile: await write(cert), keyFile: await write(key) });
}

async function refusal(files: Parameters<typeof readCertificate>[0]): Promise<string> {
  const error: unknown = await readCertificate(files).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CertificateError);
  return (error as CertificateError).message;
}

test("a pair is read, also with the certificates of issuers behind it, and with a key in its older form", async () => {
  const { leaf, cert } = await read(good);
  expect(String(cert)).toBe(good.cert);
  expect(leaf.subjectAltName).toContain("DNS:localhost");
  const chain = await read({ cert: good.cert + other.cert, key: good.key });
  expect(chain.leaf.fingerprint256).toBe(new X509Certificate(good.cert).fingerprint256);
  const inOldForm = createPrivateKey(good.key).export({ type: "sec1", format: "pem" });
  await read({ cert: good.cert, key: String(inOldForm) });
});

test("what cannot be served is told with its setting, its variable and its file", async () => {
  const certFile = await write(good.cert);
  const keyFile = await write(good.key);
  const nowhere = join(folder, "nowhere.pem");
  const locked = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: {
      ...{ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" },
    },
  }).privateKey;
  const body = good.cert.split("\n").slice(1, -2).join("\n");
  const cases = [
    { certFile: nowhere, says: /--tls-cert \(REALMWIRE_TLS_CERT\) ".*nowhere\.pem": .*no such/ },
    { keyFile: nowhere, says: /--tls-key \(REALMWIRE_TLS_KEY\) ".*nowhere\.pem": .*no such/ },
    { certFile: folder, says: /--tls-cert .*is a folder/ },
    { certFile: keyFile, says: /--tls-cert .*not a certificate in PEM/ },
    { certFile: await write(Buffer.from(body, "base64")), says: /--tls-cert .*not a cert.* PEM/ },
    { certFile: await write(good.cert.replace(body, body.slice(0, -8))), says: /broken cert/ },
    { certFile: await write(""), says: /--tls-cert .*not a certificate/ },
    { keyFile: certFile, says: /--tls-key .*is not a key in PEM/ },
    { keyFile: await write(""), says: /--tls-key .*is not a key/ },
    { keyFile: await write(locked), says: /--tls-key .*passphrase/ },
    {
      keyFile: await write(other.key),
      says: /--tls-key .*not the key of the certificate ".*\.pem"/,
    },
    { certFile: await write(`${good.cert}${good.cert.replace(body, "AAAA")}`), says: /--tls-cert/ },
  ];
  for (const { says, ...files } of cases) {
    const message = await refusal({ certFile, keyFile, ...files });
    expect(message).toMatch(says);
    expect(message).not.toContain(good.key.split("\n")[1]);
  }
});

test("dates that clients will not take are told", async () => {
  const now = Date.now();
  const old = await read(await makeTestCertificate({ fromMs: now - 2 * DAY_MS, days: 1 }));
  expect(dateTroubleOf(old.leaf, now)).toMatch(/expired on .*GMT/);
  const early = await read(await makeTestCertificate({ fromMs: now + DAY_MS, days: 1 }));
  expect(dateTroubleOf(early.leaf, now)).toMatch(/not valid before .*GMT/);
  const { leaf } = await read(good);
  expect(dateTroubleOf(leaf, now)).toBeUndefined();
  const aging = await read(await makeTestCertificate({ fromMs: now - 81 * DAY_MS, days: 100 }));
  expect(dateTroubleOf(aging.leaf, now)).toMatch(/expires on .*GMT/);
  const ripe = await read(await makeTestCertificate({ fromMs: now - 79 * DAY_MS, days: 100 }));
  expect(dateTroubleOf(ripe.leaf, now)).toBeUndefined();
});
