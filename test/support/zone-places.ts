import { MessageChannel } from "node:worker_threads";
import type { Bus } from "../../server/bus/bus.ts";
import { openBusGate } from "../../server/bus/bus-gate.ts";
import { createPortBus } from "../../server/bus/port-bus.ts";
import type { Logger } from "../../server/logger.ts";
import type { ZonePlaces } from "../../server/zone/zone-place.ts";
import { createZoneServer } from "../../server/zone/zone-server.ts";
import type { ZoneServerOptions } from "../../server/zone/zone-server.ts";

/** A place for zones in this thread, that meets the gateway only through a port, as one in another thread does. */
export interface PortPlaces extends ZonePlaces {
  /** Zones that it was taken for and that have not ended. */
  readonly taken: number;
  /** Cuts it off, as if its thread had died. */
  lose(): Promise<void>;
  close(): Promise<void>;
}

/** Opens such a place on a bus that has been started. */
export async function openPortPlaces(options: {
  bus: Bus;
  world: ZoneServerOptions["world"];
  logger: Logger;
  viewRadius?: number;
}): Promise<PortPlaces> {
  const { bus, world, logger, viewRadius = 10 } = options;
  const onError = (error: unknown, subject: string) =>
    logger.error({ err: error, subject }, "a message was not taken");
  const { port1, port2 } = new MessageChannel();
  const gate = openBusGate({ port: port1, bus, onError });
  const far = createPortBus({ port: port2, onError });
  await far.start();
  const host = `place-${Math.random().toString(36).slice(2)}`;
  const server = createZoneServer({ host, bus: far, world, viewRadius, logger });
  server.start();
  // What is asked on the same way comes behind the service's beginning.
  await far.readLease("known");
  const listeners = new Set<() => void>();
  let taken = 0;

  async function close(): Promise<void> {
    server.close();
    await far.close();
    gate.close();
    port1.close();
  }

  return {
    get taken() {
      return taken;
    },
    async take() {
      taken++;
      return {
        host,
        onLost(listener) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
        release: () => void taken--,
      };
    },
    async lose() {
      for (const listener of [...listeners]) listener();
      await close();
    },
    close,
  };
}
