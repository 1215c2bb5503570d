import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { makeCertificate, MAX_DAYS } from "./make-certificate.ts";

const DAY_MS = 86_400_000;

test("names and addresses in every form are what the certificate is good for", async () => {
  const names = ["play.example.org", "*.example.net", "192.0.2.7", "::1", "2001:DB8::A:0:1", "::"];
  const { cert } = await makeCertificate({ names, days: 1 });
  const leaf = new X509Certificate(cert);
  expect(leaf.subject).toMatch(/^CN=Realmwire development [\da-f]{16}$/);
  expect(leaf.checkHost("play.example.org")).toBe("play.example.org");
  expect(leaf.checkHost("eu.example.net")).toBe("*.example.net");
  expect(leaf.checkHost("example.org")).toBeUndefined();
  for (const address of names.slice(2)) expect(leaf.checkIP(address), address).toBeDefined();
  for (const address of ["192.0.2.8", "::2", "2001:db8::a:1:1"]) {
    expect(leaf.checkIP(address), address).toBeUndefined();
  }
  const mapped = await makeCertificate({ names: ["::ffff:192.0.2.7"], days: 1 });
  expect(new X509Certificate(mapped.cert).checkIP("::ffff:c000:207")).toBeDefined();
});

test("it is signed by its own key, which vouches for servers and for nobody else", async () => {
  const { cert, key } = await makeCertificate({ names: ["localhost"], days: 1 });
  const leaf = new X509Certificate(cert);
  expect(leaf.verify(leaf.publicKey)).toBe(true);
  expect(leaf.checkIssued(leaf)).toBe(true);
  expect(leaf.ca).toBe(false);
  expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  expect(leaf.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
  expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----\n[^]+\n-----END PRIVATE KEY-----\n$/);
  const other = new X509Certificate(
    (await makeCertificate({ names: ["localhost"], days: 1 })).cert,
  );
  expect(other.serialNumber).not.toBe(leaf.serialNumber);
  expect(other.subject).not.toBe(leaf.subject);
  expect(leaf.serialNumber).toMatch(/^[0-7][\dA-F]{31}$/);
});

test("it is good from an hour ago, for days within the limit", async () => {
  const before = Date.now();
  const { cert } = await makeCertificate({ names: ["localhost"], days: MAX_DAYS });
  const leaf = new X509Certificate(cert);
  const from = leaf.validFromDate.getTime();
  expect(before - from).toBeGreaterThan(0.9 * 60 * 60 * 1000);
  expect(leaf.validToDate.getTime() - from).toBe(MAX_DAYS * DAY_MS);
  for (const days of [0, -1, MAX_DAYS + 1, Number.NaN]) {
    await expect(makeCertificate({ names: ["localhost"], days })).rejects.toThrow(/at most 397/);
  }
  await expect(makeCertificate({ names: [], days: 1 })).rejects.toThrow(/at least one/);
});
