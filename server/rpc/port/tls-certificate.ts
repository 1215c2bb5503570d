import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import tls from "node:tls";

/** What a TLS server proves itself with, both in PEM: its certificate, those of its issuers behind it, and its private key. */
export interface CertificatePair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The files of a pair. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate that cannot be served; the message names the setting, the file and what is wrong. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";
}

const CERT_SETTING = "--tls-cert (REALMWIRE_TLS_CERT)";
const KEY_SETTING = "--tls-key (REALMWIRE_TLS_KEY)";

/** Reads a pair and makes sure that it can be served. Throws {@link CertificateError}. */
export async function readCertificate({
  certFile,
  keyFile,
}: CertificateFiles): Promise<CertificatePair & { readonly leaf: X509Certificate }> {
  const aboutCert = `${CERT_SETTING} "${certFile}"`;
  const aboutKey = `${KEY_SETTING} "${keyFile}"`;
  const [cert, key] = await Promise.all([read(certFile, aboutCert), read(keyFile, aboutKey)]);
  const leaf = parseCertificate(cert, aboutCert);
  if (!leaf.checkPrivateKey(parseKey(key, aboutKey))) {
    throw new CertificateError(`${aboutKey}: is not the key of the certificate "${certFile}"`);
  }
  try {
    // What is left: certificates behind the first, and keys that are too short for TLS.
    tls.createSecureContext({ cert, key });
  } catch (error) {
    throw new CertificateError(`${aboutCert}: ${(error as Error).message}`, { cause: error });
  }
  return { cert, key, leaf };
}

/** In this last part of its life a certificate should have been replaced: those who renew it begin when a third is left. */
const LAST_PART = 1 / 5;

/** Why clients refuse a certificate at this time, in milliseconds since 1970-01-01, or soon will. Undefined: its dates are good. */
export function dateTroubleOf(leaf: X509Certificate, nowMs: number): string | undefined {
  const [fromMs, toMs] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()];
  if (nowMs > toMs) return `clients refuse TLS: the certificate expired on ${leaf.validTo}`;
  if (nowMs < fromMs) {
    return `clients refuse TLS: the certificate is not valid before ${leaf.validFrom}`;
  }
  if (toMs - nowMs < (toMs - fromMs) * LAST_PART) {
    return `the certificate expires on ${leaf.validTo}: it is time for a new one`;
  }
  return undefined;
}

async function read(file: string, about: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = READ_TROUBLES[code ?? ""] ?? message;
    throw new CertificateError(`${about}: ${why}`, { cause: error });
  }
}

const READ_TROUBLES: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "this user may not read the file",
  EISDIR: "is a folder, not a file",
};

function parseCertificate(pem: Buffer, about: string): X509Certificate {
  if (!pem.includes("-----BEGIN CERTIFICATE-----")) {
    throw new CertificateError(`${about}: is not a certificate in PEM`);
  }
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new CertificateError(`${about}: is a broken certificate`, { cause: error });
  }
}

function parseKey(pem: Buffer, about: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    // Node's error says nothing of it, the head of the file does.
    const isLocked = pem.includes("ENCRYPTED");
    const why = isLocked ? "is locked by a passphrase: give one without" : "is not a key in PEM";
    throw new CertificateError(`${about}: ${why}`, { cause: error });
  }
}
