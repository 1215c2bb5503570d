import { Code, createClient, type Client, type Transport } from "@connectrpc/connect";
import { equals } from "@bufbuild/protobuf";
import { RealmwireError } from "../ts/errors.ts";
import {
  ReleaseManifestSchema,
  WorldService,
  type PartialContent,
  type ReleaseManifest,
  type UpgradeRequest,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { ContentStore } from "./content-store.ts";
import { toHex } from "./digest.ts";
import type { Retries } from "./retries.ts";
import { badRelease, requireSafeManifest, type SafeManifest } from "./safe-manifest.ts";

/** How many begun contents one request may name, as the protocol says. */
const MAX_PARTIAL = 100;
/** How many contents one request may say to have, as the protocol says. */
const MAX_HAVE = 10_000;
/** A stream that brings nothing for so long is taken for dead, in milliseconds. */
const STALL_MS = 30_000;

/** The release that was being fetched is another one now: what to do has to be found out anew. */
export class ReleaseChangedError extends Error {
  constructor() {
    super("the release was published anew meanwhile");
    this.name = "ReleaseChangedError";
  }
}

/** The calls of an update. */
export interface Downloads {
  /** The manifest of a release. `have` are hashes that are probably there, which spares the server sending them in vain. */
  fetchManifest(
    wanted: { readonly platform: string; readonly version: string },
    have: readonly Uint8Array[],
  ): Promise<SafeManifest>;
  /** Fetches all that a store misses. Rejects with a {@link ReleaseChangedError} when the server has another manifest meanwhile. */
  fetchContents(manifest: SafeManifest, store: ContentStore, onBytes: () => void): Promise<void>;
}

/** Creates the calls of an update; they are tried again as `retries` says. */
export function createDownloads(options: {
  readonly transport: Transport;
  readonly retries: Retries;
  readonly signal: AbortSignal;
  /** Default: 30 seconds. */
  readonly stallMs?: number;
}): Downloads {
  const { retries, signal, stallMs = STALL_MS } = options;
  const client = createClient(WorldService, options.transport);

  async function fetchManifest(
    wanted: { readonly platform: string; readonly version: string },
    have: readonly Uint8Array[],
  ): Promise<SafeManifest> {
    for (;;) {
      try {
        const request = { ...wanted, have: have.slice(0, MAX_HAVE), partial: [] };
        for await (const part of receive({ client, request, signal, stallMs })) {
          if (part.case !== "manifest") continue;
          retries.noteAnswer();
          return requireSafeManifest(part.value);
        }
        throw badRelease("no manifest came");
      } catch (error) {
        await retries.afterFailure(error, false);
      }
    }
  }

  async function fetchOnce(
    manifest: SafeManifest,
    store: ContentStore,
    onBytes: () => void,
  ): Promise<void> {
    const request = requestFor(manifest, store);
    for await (const part of receive({ client, request, signal, stallMs })) {
      if (part.case === "manifest") requireSame(part.value, manifest);
      else {
        const { sha256, offset, data } = part.value;
        await store.add(toHex(sha256), Number(offset), data);
        onBytes();
      }
    }
  }

  return {
    fetchManifest,
    async fetchContents(manifest, store, onBytes) {
      while (store.missing().size > 0) {
        const before = store.heldBytes;
        try {
          await fetchOnce(manifest, store, onBytes);
          // Left out by the server, or thrown away because they were spoiled.
          if (store.missing().size > 0) {
            throw new RealmwireError(Code.Unavailable, "contents are still missing");
          }
        } catch (error) {
          if (error instanceof ReleaseChangedError) throw error;
          await retries.afterFailure(error, store.heldBytes > before);
        } finally {
          await store.close();
        }
      }
    },
  };
}

function requestFor({ release, files }: SafeManifest, store: ContentStore) {
  const missing = store.missing();
  const have = new Map<string, Uint8Array>();
  const partial = new Map<string, Pick<PartialContent, "sha256" | "offset">>();
  for (const { sha256 } of files) {
    const key = toHex(sha256);
    const offset = missing.get(key);
    if (offset === undefined) have.set(key, sha256);
    else if (offset > 0 && partial.size < MAX_PARTIAL) {
      partial.set(key, { sha256, offset: BigInt(offset) });
    }
  }
  const { platform, version } = release;
  return { platform, version, have: [...have.values()], partial: [...partial.values()] };
}

function requireSame(again: ReleaseManifest, manifest: SafeManifest): void {
  const strip = ({ release, files }: ReleaseManifest) => ({
    $typeName: again.$typeName,
    files,
    bytesToSend: 0n,
    ...(release && { release: { ...release, oldestWorking: "" } }),
  });
  if (!equals(ReleaseManifestSchema, strip(again), strip(manifest)))
    throw new ReleaseChangedError();
}

/** The parts of an answer: the manifest first, then pieces. Leaving it, the signal or a stall ends the call. */
async function* receive(call: {
  readonly client: Client<typeof WorldService>;
  readonly request: Pick<UpgradeRequest, "platform" | "version" | "have"> & {
    readonly partial: readonly Pick<PartialContent, "sha256" | "offset">[];
  };
  readonly signal: AbortSignal;
  readonly stallMs: number;
}) {
  const { client, request, signal, stallMs } = call;
  const stalled = new AbortController();
  const ended = new AbortController();
  const watch = () => setTimeout(() => stalled.abort(), stallMs);
  let timer = watch();
  let isFirst = true;
  try {
    const both = AbortSignal.any([signal, stalled.signal, ended.signal]);
    const partial = [...request.partial];
    for await (const { part } of client.upgrade({ ...request, partial }, { signal: both })) {
      clearTimeout(timer);
      if (part.case === undefined || (part.case === "manifest") !== isFirst) {
        throw badRelease("its manifest came twice, or not at first");
      }
      isFirst = false;
      // What is done with a piece takes as long as it takes.
      yield part;
      timer = watch();
    }
  } catch (error) {
    if (!stalled.signal.aborted) throw error;
    throw new RealmwireError(Code.Unavailable, `nothing came for ${stallMs} ms`);
  } finally {
    clearTimeout(timer);
    ended.abort();
  }
}
