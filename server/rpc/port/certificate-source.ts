import type { X509Certificate } from "node:crypto";
import { type Stats, unwatchFile, watchFile } from "node:fs";
import type { Logger } from "../../logger.ts";
import {
  type CertificateFiles,
  type CertificatePair,
  dateTroubleOf,
  readCertificate,
} from "./tls-certificate.ts";

/** How often the files are looked at. */
export const WATCH_INTERVAL_MS = 1_000;
/** How long they must have stayed as they are before they are read: of two files one is written first. */
export const SETTLE_MS = 500;
/** How often the dates of the certificate are looked at while it is served. */
export const DATES_INTERVAL_MS = 24 * 3_600_000;

/** Options of {@link createCertificateSource}. */
export interface CertificateSourceOptions extends CertificateFiles {
  readonly logger: Logger;
  /** Milliseconds since 1970-01-01. */
  readonly now: () => number;
  /** Default: {@link WATCH_INTERVAL_MS}. */
  readonly watchIntervalMs?: number;
  /** Default: {@link SETTLE_MS}. */
  readonly settleMs?: number;
  /** Default: {@link DATES_INTERVAL_MS}. */
  readonly datesIntervalMs?: number;
}

/** A certificate that follows its files. */
export interface CertificateSource {
  /** Reads the files and begins to watch them. Rejects with a `CertificateError`. */
  start(): Promise<void>;
  close(): void;
  /** The newest pair that can be served. Throws before `start`. */
  readonly current: CertificatePair;
  /** Reads the files now. A pair that cannot be served is logged, and the one before stays. */
  reload(): Promise<void>;
}

/** Makes the certificate of a port. */
export function createCertificateSource(options: CertificateSourceOptions): CertificateSource {
  const { certFile, keyFile, logger, now } = options;
  const { watchIntervalMs = WATCH_INTERVAL_MS, settleMs = SETTLE_MS } = options;
  const { datesIntervalMs = DATES_INTERVAL_MS } = options;
  const files = [certFile, keyFile];
  let current: CertificatePair | undefined;
  let leafServed: X509Certificate | undefined;
  let settling: NodeJS.Timeout | undefined;
  let dates: NodeJS.Timeout | undefined;
  let reloading: Promise<void> = Promise.resolve();

  async function load(): Promise<void> {
    const { leaf, ...pair } = await readCertificate({ certFile, keyFile });
    if (current?.cert.equals(pair.cert) && current.key.equals(pair.key)) return;
    current = pair;
    leafServed = leaf;
    const { subjectAltName: names, validTo, fingerprint256: fingerprint } = leaf;
    logger.info({ names, validTo, fingerprint }, "a certificate is served");
    checkDates();
  }

  function checkDates(): void {
    const trouble = leafServed && dateTroubleOf(leafServed, now());
    if (trouble) logger.warn({ certFile, validTo: leafServed?.validTo }, trouble);
  }

  function reload(): Promise<void> {
    // One after the other, so that the last one to begin decides.
    reloading = reloading.then(load).catch((err: unknown) => {
      logger.error({ err }, "the new certificate cannot be served, the one before stays");
    });
    return reloading;
  }

  // Node asks the system for the state of the file again and again. That works wherever the file is, and through links,
  // which is how tools put new certificates in place; events of the system do not.
  function onLook(now: Stats, before: Stats): void {
    if (now.mtimeMs === before.mtimeMs && now.ino === before.ino && now.size === before.size) {
      return;
    }
    clearTimeout(settling);
    settling = setTimeout(() => void reload(), settleMs);
  }

  return {
    async start() {
      await load();
      const watch = { interval: watchIntervalMs, persistent: false };
      for (const file of files) watchFile(file, watch, onLook);
      dates = setInterval(checkDates, datesIntervalMs).unref();
    },
    close() {
      clearInterval(dates);
      clearTimeout(settling);
      for (const file of files) unwatchFile(file, onLook);
    },
    get current() {
      if (current === undefined) throw new Error("the certificate was not read yet");
      return current;
    },
    reload,
  };
}
