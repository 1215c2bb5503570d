import type { Recording } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../errors.ts";
import type { ZoneHandle } from "./zone-handle.ts";
import type { MapObject, Spawn } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { Region } from "../../gen/ts/realmwire/v1/value_pb.ts";
import { creatureNames } from "../sim/population.ts";
import { nameKey } from "../store/store.ts";
import { openZone } from "./running-zone.ts";
import type { RunningZone, ZoneHostOptions } from "./running-zone.ts";
import { zoneStopped } from "./zone-stopped.ts";

/** How long a zone may take to start. */
export const ZONE_START_TIMEOUT_MS = 10_000;
/** How long a zone stays this node's without being renewed. */
export const LEASE_TTL_MS = 10_000;
/** How often a lease is renewed. */
export const LEASE_RENEWAL_MS = LEASE_TTL_MS / 3;

/** Runs zones on this node. */
export interface ZoneHost {
  start(): void;
  /** Stops all zones. What is to be saved has been noted with the saver. */
  close(): Promise<void>;
  /** The zones of the game, by name. */
  readonly names: readonly string[];
  /**
   * The running zone of this name, started if need be, once, however many ask. Rejects with `ZONE_UNKNOWN`,
   * `ZONE_START_TIMEOUT` or `STORE_UNAVAILABLE`.
   */
  get(name: string): Promise<ZoneHandle>;
  /** Tells of every map that changes on this node. */
  onMapChanged(listener: (zone: string, revision: number, region: Region) => void): void;
  /** Whether an object or a creature of a map has this name, without regard to case: such a name is none for a character. */
  hasThing(name: string): boolean;
  /** The zone if it runs. */
  running(name: string): ZoneHandle | undefined;
  /** What led to the present state of a running zone. */
  recording(name: string): Promise<Recording | undefined>;
}

/** A host without zones. */
export function createZoneHost(options: ZoneHostOptions): ZoneHost {
  const { world, bus, logger } = options;
  const zones = new Map<string, RunningZone>();
  const starting = new Map<string, Promise<ZoneHandle>>();
  /** What zones that have ended are still to note with the saver. */
  const ending = new Map<string, Promise<void>>();
  const names = [...world.maps.keys()].sort();
  const mapListeners: ((zone: string, revision: number, region: Region) => void)[] = [];
  let renewal: NodeJS.Timeout | undefined;
  let closed = false;

  async function startZone(name: string): Promise<ZoneHandle> {
    await ending.get(name);
    const value = new TextEncoder().encode(options.node);
    const lease = await bus.acquireLease(`zone.${name}`, { value, ttlMs: LEASE_TTL_MS });
    if (!lease) throw zoneStopped(name, "another node runs it");
    try {
      const began = performance.now();
      const running = await openZone(options, name, lease, {
        hasSpawn,
        onStopped(saved) {
          zones.delete(name);
          ending.set(name, saved);
        },
      });
      if (closed) {
        await running.stop();
        throw zoneStopped(name, "the server is stopping");
      }
      zones.set(name, running);
      running.handle.listen({
        onMapChanged: (revision, region) => {
          for (const listener of mapListeners) listener(name, revision, region);
        },
      });
      const { entityCount: entities, map, thread } = running;
      const tookMs = Math.round(performance.now() - began);
      logger.info(
        { zone: name, entities, revision: map.revision, tookMs, ...(thread && { thread }) },
        "zone started",
      );
      return running.handle;
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  /** The present map of a zone, or the game's while it does not run. */
  function objectsAndSpawns(name: string): { objects: MapObject[]; spawns: Spawn[] } {
    const map = zones.get(name)?.map ?? world.maps.get(name);
    return {
      objects: [...(map?.objects.values() ?? [])],
      spawns: [...(map?.spawns.values() ?? [])],
    };
  }

  function hasSpawn(zone: string, spawn: string): boolean {
    return objectsAndSpawns(zone).spawns.some(({ name, kind }) => name === spawn && kind === "");
  }

  function hasThing(wanted: string): boolean {
    const key = nameKey(wanted);
    return names.some((zone) => {
      const { objects, spawns } = objectsAndSpawns(zone);
      if (objects.some(({ name }) => nameKey(name) === key)) return true;
      return spawns.some((spawn) => creatureNames(spawn).some((name) => nameKey(name) === key));
    });
  }

  async function get(name: string): Promise<ZoneHandle> {
    const running = zones.get(name);
    if (running) return running.handle;
    if (!world.maps.has(name)) {
      const metadata = { zone: name };
      throw new DomainError(ErrorReason.ZONE_UNKNOWN, `there is no zone "${name}"`, { metadata });
    }
    let start = starting.get(name);
    if (!start) {
      start = startZone(name).finally(() => starting.delete(name));
      starting.set(name, start);
    }
    return await withinTime(start, options.startTimeoutMs ?? ZONE_START_TIMEOUT_MS, name);
  }

  function renewLeases(): void {
    for (const [name, { lease, stop }] of zones) {
      lease.renew().then(
        (kept) => {
          if (kept || closed) return;
          logger.error({ zone: name }, "lost the lease of a zone");
          void stop();
        },
        (error: unknown) => logger.warn({ err: error, zone: name }, "could not renew a lease"),
      );
    }
  }

  return {
    names,
    start() {
      renewal = setInterval(renewLeases, LEASE_RENEWAL_MS);
    },
    async close() {
      closed = true;
      clearInterval(renewal);
      await Promise.allSettled(starting.values());
      const stops = [...zones.values()].map(async ({ lease, stop }) => {
        await stop();
        await lease.release();
      });
      await Promise.allSettled([...stops, ...ending.values()]);
    },
    get,
    onMapChanged: (listener) => void mapListeners.push(listener),
    hasThing,
    running: (name) => zones.get(name)?.handle,
    recording: async (name) => await zones.get(name)?.recording(),
  };
}

/** When a caller may ask again for a zone that did not start in time, in milliseconds: it may be there by then. */
const RETRY_DELAY_MS = 1_000;

async function withinTime<T>(promise: Promise<T>, timeoutMs: number, zone: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `zone "${zone}" did not start within ${timeoutMs} ms`;
      reject(
        new DomainError(ErrorReason.ZONE_START_TIMEOUT, message, {
          metadata: { zone },
          retryDelayMs: RETRY_DELAY_MS,
        }),
      );
    }, timeoutMs);
  });
  return await Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}
