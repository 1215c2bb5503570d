import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { type CertificateTexts, makeCertificate } from "../../scripts/make-certificate.ts";

/** A certificate for this machine, as `npm run dev-cert` makes it. */
export function makeTestCertificate(
  more: { readonly fromMs?: number; readonly days?: number } = {},
): Promise<CertificateTexts> {
  return makeCertificate({ names: ["localhost", "127.0.0.1", "::1"], days: 1, ...more });
}

/** Makes all clients of this process trust a certificate. */
export function trustCertificate(cert: string): void {
  tls.setDefaultCACertificates([...new Set([...tls.getCACertificates("default"), cert])]);
}

/** A certificate in files of its own. */
export interface CertificateFolder extends CertificateTexts {
  readonly certFile: string;
  readonly keyFile: string;
  /** Writes another pair over it. */
  replace(pair: CertificateTexts): Promise<void>;
  dispose(): Promise<void>;
}

/** Makes a folder with a certificate. */
export async function createCertificateFolder(pair?: CertificateTexts): Promise<CertificateFolder> {
  const folder = await mkdtemp(join(tmpdir(), "realmwire-tls-"));
  const certFile = join(folder, "cert.pem");
  const keyFile = join(folder, "key.pem");
  async function replace({ cert, key }: CertificateTexts): Promise<void> {
    await writeFile(certFile, cert);
    await writeFile(keyFile, key, { mode: 0o600 });
  }
  const first = pair ?? (await makeTestCertificate());
  await replace(first);
  return {
    ...first,
    ...{ certFile, keyFile, replace },
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}
