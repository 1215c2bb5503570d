import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  ReleaseRecordSchema,
  type ReleaseRecord,
} from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ReleasePublishedSchema } from "../../gen/ts/realmwire/internal/v1/release_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { ClientReleaseSchema, type ClientRelease } from "../../gen/ts/realmwire/v1/flag_pb.ts";
import type { Bus, Subscription } from "../bus/bus.ts";
import { DomainError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Store } from "../store/store.ts";
import { createTurns } from "../turns.ts";
import { createOldImages } from "./old-images.ts";
import { oldestWorkingOf, type PublishOptions, requirePublishable } from "./publish-rules.ts";
import { readReleaseImage, type ReleaseImage } from "./release-image.ts";
import { compareSemver, isSemver } from "./semver.ts";

/** Where all nodes are told of a published release. */
const PUBLISHED_SUBJECT = "release.published";

/** A release that can be sent. */
export interface Release {
  /** What clients are told of it. */
  readonly info: ClientRelease;
  /** Its files. */
  readonly image: ReleaseImage;
}

/** A release that is the current one of its platform. */
interface CurrentRelease extends Release {
  readonly publishedAtMs: number;
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
  const currents = new Map<string, CurrentRelease>();
  const oldImages = createOldImages({
    read: (platform, version) =>
      inTurn(async () => readReleaseImage(await findFolder(clientsDir, platform, version))),
  });
  const listeners = new Set<(release: ClientRelease) => void>();
  let subscription: Subscription | undefined;
  const turns = createTurns<"release">();

  /** One at a time: reading a release is heavy work for the disk, and publishing must not be overtaken. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    return turns.take("release", work);
  }

  /** Makes a stored release current if this node has its folder. */
  async function takeOver(record: ReleaseRecord): Promise<Release | undefined> {
    const { platform, version } = record;
    try {
      const release = await load(clientsDir, record);
      currents.set(platform, release);
      oldImages.forget(platform, version);
      return release;
    } catch (error) {
      logger.error({ err: error, platform, version }, "a client release cannot be offered");
      return undefined;
    }
  }

  async function publish(request: PublishOptions): Promise<Release> {
    const { platform, version } = request;
    requirePublishable(request);
    const before = (await store.listReleases()).find((record) => record.platform === platform);
    const oldestWorking = request.oldestWorking || oldestWorkingOf(before?.oldestWorking, version);
    // Later than the one before also within a millisecond, and when the clock was put back.
    const earliestMs = before === undefined ? 0 : publishedAtMs(before) + 1;
    const publishedAt = timestampFromMs(Math.max(now(), earliestMs));
    const record = create(ReleaseRecordSchema, { platform, version, oldestWorking, publishedAt });
    const release = await load(clientsDir, record);
    await store.publishRelease(record);
    currents.set(platform, release);
    oldImages.forget(platform, version);
    const message = create(ReleasePublishedSchema, {
      release: record,
      imageSha256: release.image.sha256,
    });
    bus.publish(PUBLISHED_SUBJECT, toBinary(ReleasePublishedSchema, message));
    logger.info({ platform, version, bytes: release.image.bytes }, "client release published");
    return release;
  }

  async function onMessage(payload: Uint8Array): Promise<void> {
    const { release: record, imageSha256 } = fromBinary(ReleasePublishedSchema, payload);
    if (record === undefined) {
      return;
    }
    await follow(record, imageSha256);
    const info = toInfo(record);
    for (const listener of listeners) {
      listener(info);
    }
  }

  /** Takes over what any node published, this one included, unless it is known or something newer is. */
  async function follow(record: ReleaseRecord, imageSha256: Uint8Array): Promise<void> {
    const { platform, version } = record;
    const known = currents.get(platform);
    const isNewer = known === undefined || known.publishedAtMs < publishedAtMs(record);
    if (!isNewer) {
      return;
    }
    const release = await takeOver(record);
    if (release !== undefined && Buffer.compare(release.image.sha256, imageSha256) !== 0) {
      logger.warn({ platform, version }, "this node's client release differs from the published");
    }
  }

  function current(platform?: string): Release | undefined {
    if (!platform) {
      const [only] = currents.values();
      return currents.size === 1 ? only : undefined;
    }
    return currents.get(platform);
  }

  return {
    async start() {
      subscription = bus.subscribe(PUBLISHED_SUBJECT, (payload) => {
        inTurn(() => onMessage(payload)).catch((error: unknown) =>
          logger.error({ err: error }, "a published client release was not taken over"),
        );
      });
      try {
        await inTurn(async () => {
          for (const record of await store.listReleases()) {
            await takeOver(record);
          }
        });
      } catch (error) {
        subscription.close();
        throw error;
      }
    },
    async close() {
      subscription?.close();
      await inTurn(async () => {});
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
      const image = await oldImages.get(release.info.platform, version);
      return { info: create(ClientReleaseSchema, { ...release.info, version }), image };
    },
    onPublished(listener) {
      listeners.add(listener);
      return { close: () => listeners.delete(listener) };
    },
  };
}

async function load(clientsDir: string, record: ReleaseRecord): Promise<CurrentRelease> {
  const folder = await findFolder(clientsDir, record.platform, record.version);
  const image = await readReleaseImage(folder);
  return { info: toInfo(record), image, publishedAtMs: publishedAtMs(record) };
}

function toInfo({ platform, version, oldestWorking }: ReleaseRecord): ClientRelease {
  return create(ClientReleaseSchema, { platform, version, oldestWorking });
}

function publishedAtMs({ publishedAt }: ReleaseRecord): number {
  return publishedAt === undefined ? 0 : timestampMs(publishedAt);
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

function releaseUnknown(platform: string, version: string): DomainError {
  return new DomainError(ErrorReason.RELEASE_UNKNOWN, "no such client release", {
    metadata: { platform, version },
  });
}
