import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { Integer, OctetString, Utf8String } from "asn1js";
import * as pkijs from "pkijs";

/** Longer than this, browsers refuse a certificate. */
export const MAX_DAYS = 397;
const MS_PER_DAY = 86_400_000;
/** Clocks of other machines may be so far behind. */
const CLOCK_SKEW_MS = 60 * 60 * 1000;

/** What a certificate is to be for. */
export interface CertificateRequest {
  /** Host names and IP addresses. At least one. */
  readonly names: readonly string[];
  /** How long it is good for: more than 0, at most {@link MAX_DAYS}. */
  readonly days: number;
  /** When it begins, in milliseconds since 1970-01-01. Default: an hour ago. */
  readonly fromMs?: number;
}

/** A certificate and its private key, both in PEM. */
export interface CertificateTexts {
  readonly cert: string;
  readonly key: string;
}

/** Makes a certificate (RFC 5280) for a TLS server that vouches for itself, with an ECDSA key on P-256. */
export async function makeCertificate(request: CertificateRequest): Promise<CertificateTexts> {
  const { names, days, fromMs = Date.now() - CLOCK_SKEW_MS } = request;
  if (names.length === 0) throw new RangeError("names: at least one is needed");
  if (!(days > 0 && days <= MAX_DAYS))
    throw new RangeError(`days: more than 0, at most ${MAX_DAYS}`);
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);

  const certificate = new pkijs.Certificate();
  // Counted from 0: version 3.
  certificate.version = 2;
  // 128 bits, of which the first makes it neither negative nor shorter.
  const serial = Buffer.concat([Buffer.of(0x5a), randomBytes(15)]);
  certificate.serialNumber = new Integer({ valueHex: bytesOf(serial) });
  // Clients look up by its name who vouches, and may know several certificates of one machine: each has a name of its own.
  const value = new Utf8String({ value: `Realmwire development ${serial.toString("hex", 1, 9)}` });
  for (const who of [certificate.issuer, certificate.subject]) {
    who.typesAndValues.push(new pkijs.AttributeTypeAndValue({ type: COMMON_NAME, value }));
  }
  certificate.notBefore.value = new Date(fromMs);
  certificate.notAfter.value = new Date(fromMs + days * MS_PER_DAY);
  certificate.extensions = extensionsFor(names);
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey);
  await certificate.sign(keys.privateKey, "SHA-256");
  return {
    cert: pem("CERTIFICATE", certificate.toSchema(true).toBER()),
    key: pem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", keys.privateKey)),
  };
}

const COMMON_NAME = "2.5.4.3";
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
/** Kinds of a general name. */
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/**
 * It serves, and vouches for nobody else: who trusts it trusts no other certificate. What its key may be used for is not said, since
 * some clients (BoringSSL, OpenSSL before 3) then refuse a certificate that vouches for itself.
 */
function extensionsFor(names: readonly string[]): pkijs.Extension[] {
  const basic = new pkijs.BasicConstraints({ cA: false });
  const usage = new pkijs.ExtKeyUsage({ keyPurposes: [SERVER_AUTH] });
  const alternatives = new pkijs.GeneralNames({ names: names.map(generalName) });
  const extension = (extnID: string, critical: boolean, extnValue: ArrayBuffer) =>
    new pkijs.Extension({ extnID, critical, extnValue });
  return [
    extension("2.5.29.19", true, basic.toSchema().toBER()),
    extension("2.5.29.37", false, usage.toSchema().toBER()),
    extension("2.5.29.17", false, alternatives.toSchema().toBER()),
  ];
}

function generalName(name: string): pkijs.GeneralName {
  if (isIP(name) === 0) return new pkijs.GeneralName({ type: DNS_NAME, value: name });
  const value = new OctetString({ valueHex: addressBytes(name) });
  return new pkijs.GeneralName({ type: IP_ADDRESS, value });
}

/** The 4 or 16 bytes of an IP address. */
function addressBytes(address: string): ArrayBuffer {
  if (isIP(address) === 4) return bytesOf(Buffer.from(address.split(".").map(Number)));
  // A URL writes it with groups only, and `::` for the longest run of zeros.
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const groupsOf = (text = "") => (text === "" ? [] : text.split(":"));
  const [before, after] = [groupsOf(head), groupsOf(tail)];
  const zeros = Array<string>(8 - before.length - after.length).fill("0");
  const hex = [...before, ...zeros, ...after].map((group) => group.padStart(4, "0")).join("");
  return bytesOf(Buffer.from(hex, "hex"));
}

function bytesOf(buffer: Buffer): ArrayBuffer {
  return Uint8Array.from(buffer).buffer;
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
