import type { MessageInitShape } from "@bufbuild/protobuf";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import type {
  PartialContent,
  UpgradeRequest,
  UpgradeResponseSchema,
} from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { limitKeyOf } from "../../addresses.ts";
import { DomainError, hasReason } from "../../errors.ts";
import { readContent, type ReleaseContent } from "../../release/release-content.ts";
import type { ReleaseImage } from "../../release/release-image.ts";
import type { Releases } from "../../release/releases.ts";
import type { Logger } from "../../logger.ts";
import type { Call } from "../service.ts";

/** Upgrades that run at once on a node; each holds a file open and a piece of 64 KiB. Beyond: TOO_MANY_CALLS. */
const MAX_RUNNING_UPGRADES = 256;
/** Of them, those of one address, which may have many clients behind it. */
const MAX_RUNNING_UPGRADES_PER_ADDRESS = 64;
/** What a caller is told to wait when too many upgrades run, in milliseconds. */
const TOO_MANY_UPGRADES_RETRY_MS = 2_000;

/** Settings of {@link createUpgrade}. */
export interface UpgradeOptions {
  readonly releases: Pick<Releases, "find">;
  readonly logger: Logger;
  /** Upgrades that run at once. Default 256. */
  readonly maxRunning?: number;
  /** Of them, those of one address. Default 64. */
  readonly maxPerAddress?: number;
}

/** The handler of `WorldService.Upgrade`. */
export type Upgrade = (
  request: UpgradeRequest,
  call: Pick<Call, "signal" | "peer">,
) => AsyncGenerator<MessageInitShape<typeof UpgradeResponseSchema>, void, undefined>;

/** A content that the caller lacks, from where on. */
interface Missing {
  readonly content: ReleaseContent;
  readonly offset: number;
}

/**
 * Creates the handler of `WorldService.Upgrade`: the manifest first, then each distinct content that the caller lacks
 * once, in pieces of at most 64 KiB; an empty content is one empty piece. Rejects with `RELEASE_UNKNOWN`,
 * `RELEASE_UNUSABLE`, `INVALID_FIELDS`, `TOO_MANY_CALLS`, or the signal's reason.
 */
export function createUpgrade(options: UpgradeOptions): Upgrade {
  const { releases, logger, maxRunning = MAX_RUNNING_UPGRADES } = options;
  const { maxPerAddress = MAX_RUNNING_UPGRADES_PER_ADDRESS } = options;
  const byAddress = new Map<string, number>();
  let running = 0;

  return async function* upgrade(request, call) {
    const address = limitKeyOf(call.peer);
    const ofAddress = byAddress.get(address) ?? 0;
    if (running >= maxRunning || ofAddress >= maxPerAddress) {
      throw new DomainError(ErrorReason.TOO_MANY_CALLS, "too many upgrades at once", {
        retryDelayMs: TOO_MANY_UPGRADES_RETRY_MS,
      });
    }
    running++;
    byAddress.set(address, ofAddress + 1);
    try {
      const { info, image } = await releases.find(request.platform, request.version);
      const missing = findMissing(image, request);
      const bytesToSend = BigInt(
        missing.reduce((sum, { content, offset }) => sum + content.size - offset, 0),
      );
      yield {
        part: { case: "manifest", value: { release: info, files: [...image.files], bytesToSend } },
      };
      for (const { content, offset } of missing) {
        yield* sendContent(content, offset, call.signal);
      }
    } catch (error) {
      if (hasReason(error, ErrorReason.RELEASE_UNUSABLE)) {
        logger.error({ err: error }, "a client release cannot be sent");
      }
      throw error;
    } finally {
      running--;
      const left = (byAddress.get(address) ?? 1) - 1;
      if (left > 0) byAddress.set(address, left);
      else byAddress.delete(address);
    }
  };
}

async function* sendContent(
  content: ReleaseContent,
  from: number,
  signal: AbortSignal,
): ReturnType<Upgrade> {
  const { sha256 } = content;
  if (content.size === 0) {
    yield { part: { case: "chunk", value: { sha256, offset: 0n, data: new Uint8Array() } } };
    return;
  }
  for await (const { offset, data } of readContent(content, from)) {
    signal.throwIfAborted();
    yield { part: { case: "chunk", value: { sha256, offset: BigInt(offset), data } } };
  }
}

function findMissing(image: ReleaseImage, request: UpgradeRequest): Missing[] {
  const held = new Set(request.have.map(hex));
  const offsets = readOffsets(image, request.partial);
  const missing: Missing[] = [];
  for (const [key, content] of image.contents) {
    const offset = offsets.get(key) ?? 0;
    const isWhole = offset === content.size && content.size > 0;
    if (!held.has(key) && !isWhole) {
      missing.push({ content, offset });
    }
  }
  return missing;
}

/** Where to go on, by content. Contents that the release does not have are passed over: they may be of another one. */
function readOffsets(image: ReleaseImage, partial: readonly PartialContent[]): Map<string, number> {
  const offsets = new Map<string, number>();
  for (const [index, { sha256, offset }] of partial.entries()) {
    const key = hex(sha256);
    const content = image.contents.get(key);
    if (content !== undefined && offset > BigInt(content.size)) {
      throw new DomainError(ErrorReason.INVALID_FIELDS, "an offset lies beyond its content", {
        violations: [
          {
            field: `partial[${index}].offset`,
            description: `must be at most ${content.size}, the size of the content`,
          },
        ],
      });
    }
    offsets.set(key, Number(offset));
  }
  return offsets;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
