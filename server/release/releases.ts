import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { create, equals, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  ReleaseRecordSchema,
  type ReleaseRecord,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ReleasePublishedSchema } from "../../gen/ts/realmwire/internal/v1/release_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { ClientReleaseSchema, type ClientRelease } from "../../gen/ts/realmwire/v1/flag_pb.ts";
import type { Bus, Subscription } from "../bus/bus.ts";
import { DomainError } from "../errors.ts";
import type { Logger } from "../rpc/logger.ts";
import type { Store } from "../store/store.ts";
import { readReleaseImage, type ReleaseImage } from "./release-image.ts";
import { compareSemver, isSemver } from "./semver.ts";

/** Where all nodes are told of a published release. */
const PUBLISHED_SUBJECT = "release.published";
/** A platform is the name of a folder; it has no separators and does not begin with a dot. */
const PLATFORM_FORM = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
/** Images of releases that are no longer current, kept for callers who ask for them. The oldest use is forgotten. */
const MAX_OLD_IMAGES = 16;

/** A release that can be sent. */
export interface Release {
  /** What clients are told of it. */
  readonly info: ClientRelease;
  /** Its files. */
  readonly image: ReleaseImage;
}

/** What {@link Releases.publish} makes current. */
export interface PublishOptions {
  readonly platform: string;
  /** A semantic version. */
  readonly version: string;
  /** The oldest release that still works. Empty or left out: as before, or `version` for a new platform. */
  readonly oldestWorking?: string;
}

/** The client releases that a server offers: folders `<clientsDir>/<platform>/<version>`. */
export interface Releases {
  /** Reads the current releases. Those whose folder is missing or unusable are logged and not offered. */
  start(): Promise<void>;
  close(): Promise<void>;
  /**
   * Makes a folder the current release of its platform, on all nodes. The folder must not change afterwards: what no
   * longer is as it was read is not sent. Rejects with `INVALID_FIELDS`, `RELEASE_UNKNOWN`, `RELEASE_UNUSABLE` or `STORE_UNAVAILABLE`.
   */
  publish(options: PublishOptions): Promise<Release>;
  /** The current release of a platform, or of the only one if there is just one. */
  current(platform?: string): Release | undefined;
  /** The current releases, by platform. */
  list(): ClientRelease[];
  /**
   * A release by platform and version. No platform stands for the only one, no version for the current one; older
   * ones are found as long as their folder exists. Rejects with `RELEASE_UNKNOWN` or `RELEASE_UNUSABLE`.
   */
  find(platform?: string, version?: string): Promise<Release>;
  /** Tells of each release that any node publishes, after this node has read it. */
  onPublished(listener: (release: ClientRelease) => void): Subscription;
}

/** What {@link createReleases} needs. */
export interface ReleasesOptions {
  /** The folder of all releases. It need not exist. */
  readonly clientsDir: string;
  readonly store: Pick<Store, "publishRelease" | "listReleases">;
  readonly bus: Pick<Bus, "publish" | "subscribe">;
  /** Milliseconds since 1970-01-01. */
  readonly now: () => number;
  readonly logger: Logger;
}

/** Creates the client releases of a server. */
export function createReleases(options: ReleasesOptions): Releases {
  const { clientsDir, store, bus, now, logger } = options;
  const currents = new Map<string, Release>();
  const oldImages = new Map<string, Promise<ReleaseImage>>();
  const listeners = new Set<(release: ClientRelease) => void>();
  let subscription: Subscription | undefined;
  let last: Promise<unknown> = Promise.resolve();

  /** One at a time: reading a release is heavy work for the disk, and publishing must not be overtaken. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  }

  async function load(record: Pick<ReleaseRecord, "platform" | "version" | "oldestWorking">) {
    const { platform, version, oldestWorking } = record;
    const image = await readReleaseImage(await findFolder(clientsDir, platform, version));
    return { info: create(ClientReleaseSchema, { platform, version, oldestWorking }), image };
  }

  async function loadStored(record: ReleaseRecord): Promise<void> {
    const { platform, version } = record;
    try {
      currents.set(platform, await load(record));
    } catch (error) {
      logger.error({ err: error, platform, version }, "a client release cannot be offered");
    }
  }

  async function publish(request: PublishOptions): Promise<Release> {
    const { platform, version } = request;
    requirePublishable(request);
    const before = (await store.listReleases()).find((record) => record.platform === platform);
    const oldestWorking = request.oldestWorking || oldestOf(before?.oldestWorking, version);
    const release = await load({ platform, version, oldestWorking });
    const publishedAt = timestampFromMs(now());
    await store.publishRelease(
      create(ReleaseRecordSchema, { platform, version, oldestWorking, publishedAt }),
    );
    currents.set(platform, release);
    oldImages.delete(`${platform}/${version}`);
    const message = create(ReleasePublishedSchema, {
      release: release.info,
      imageSha256: release.image.sha256,
    });
    bus.publish(PUBLISHED_SUBJECT, toBinary(ReleasePublishedSchema, message));
    logger.info({ platform, version, bytes: release.image.bytes }, "client release published");
    return release;
  }

  async function onMessage(payload: Uint8Array): Promise<void> {
    const { release: info, imageSha256 } = fromBinary(ReleasePublishedSchema, payload);
    if (info === undefined) {
      return;
    }
    const known = currents.get(info.platform);
    const isKnown = known !== undefined && equals(ClientReleaseSchema, known.info, info);
    if (!isKnown || !isSame(known.image, imageSha256)) {
      await follow(info, imageSha256);
    }
    for (const listener of listeners) {
      listener(info);
    }
  }

  /** Another node published this: it becomes current here too if this node has the folder. */
  async function follow(info: ClientRelease, imageSha256: Uint8Array): Promise<void> {
    const { platform, version } = info;
    try {
      const release = await load(info);
      currents.set(platform, release);
      oldImages.delete(`${platform}/${version}`);
      if (!isSame(release.image, imageSha256)) {
        logger.warn({ platform, version }, "this node's client release differs from the published");
      }
    } catch (error) {
      logger.error({ err: error, platform, version }, "a client release cannot be offered");
    }
  }

  function current(platform?: string): Release | undefined {
    if (!platform) {
      const [only] = currents.values();
      return currents.size === 1 ? only : undefined;
    }
    return currents.get(platform);
  }

  function oldImage(platform: string, version: string): Promise<ReleaseImage> {
    const key = `${platform}/${version}`;
    const image =
      oldImages.get(key) ??
      inTurn(async () => readReleaseImage(await findFolder(clientsDir, platform, version)));
    // Setting it again moves it to the end: the first one is the one not used for longest.
    oldImages.delete(key);
    oldImages.set(key, image);
    image.catch(() => oldImages.delete(key));
    const [oldest] = oldImages.keys();
    if (oldImages.size > MAX_OLD_IMAGES && oldest !== undefined) {
      oldImages.delete(oldest);
    }
    return image;
  }

  return {
    async start() {
      subscription = bus.subscribe(PUBLISHED_SUBJECT, (payload) => {
        inTurn(() => onMessage(payload)).catch((error: unknown) =>
          logger.error({ err: error }, "a published client release was not taken over"),
        );
      });
      await inTurn(async () => {
        for (const record of await store.listReleases()) {
          await loadStored(record);
        }
      });
    },
    async close() {
      subscription?.close();
      await last;
    },
    publish: (request) => inTurn(() => publish(request)),
    current,
    list: () =>
      [...currents.values()]
        .map((release) => release.info)
        .toSorted((a, b) => (a.platform < b.platform ? -1 : 1)),
    async find(platform, version) {
      const release = current(platform);
      if (release === undefined) {
        throw releaseUnknown(platform ?? "", version ?? "");
      }
      if (!version || version === release.info.version) {
        return release;
      }
      // A folder above the current version may still be on its way in: nobody gets it before it is published.
      if (!isSemver(version) || compareSemver(version, release.info.version) > 0) {
        throw releaseUnknown(release.info.platform, version);
      }
      const image = await oldImage(release.info.platform, version);
      return { info: create(ClientReleaseSchema, { ...release.info, version }), image };
    },
    onPublished(listener) {
      listeners.add(listener);
      return { close: () => listeners.delete(listener) };
    },
  };
}

/** The folder of a release. Rejects with `RELEASE_UNKNOWN` when there is none. */
async function findFolder(clientsDir: string, platform: string, version: string): Promise<string> {
  const folder = join(clientsDir, platform, version);
  const stats = await lstat(folder).catch(() => undefined);
  if (stats?.isDirectory() !== true) {
    throw releaseUnknown(platform, version);
  }
  return folder;
}

function requirePublishable(request: PublishOptions): void {
  const { platform, version, oldestWorking } = request;
  const violations = [];
  if (!PLATFORM_FORM.test(platform)) {
    violations.push({
      field: "platform",
      description: "must be letters, digits, `_`, `-` and `.`",
    });
  }
  if (!isSemver(version)) {
    violations.push({ field: "version", description: "must be a semantic version" });
  }
  if (oldestWorking && !isSemver(oldestWorking)) {
    violations.push({ field: "oldest_working", description: "must be a semantic version" });
  } else if (oldestWorking && isSemver(version) && compareSemver(oldestWorking, version) > 0) {
    violations.push({ field: "oldest_working", description: "must not be newer than `version`" });
  }
  if (violations.length > 0) {
    throw new DomainError(ErrorReason.INVALID_FIELDS, "the release cannot be named so", {
      violations,
    });
  }
}

/** What worked before still works, unless the new release is older than that. */
function oldestOf(before: string | undefined, version: string): string {
  return before && isSemver(before) && compareSemver(before, version) < 0 ? before : version;
}

function isSame(image: ReleaseImage, sha256: Uint8Array): boolean {
  return Buffer.compare(image.sha256, sha256) === 0;
}

function releaseUnknown(platform: string, version: string): DomainError {
  return new DomainError(ErrorReason.RELEASE_UNKNOWN, "no such client release", {
    metadata: { platform, version },
  });
}
