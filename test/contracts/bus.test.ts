import { MessageChannel } from "node:worker_threads";
import type { Bus } from "../../server/bus/bus.ts";
import { openBusGate } from "../../server/bus/bus-gate.ts";
import { createLocalBus } from "../../server/bus/local-bus.ts";
import { createPortBus } from "../../server/bus/port-bus.ts";
import { type BusHarness, describeBus } from "./bus-contract.ts";

function createParts() {
  const errors: { error: unknown; subject: string }[] = [];
  const onError = (error: unknown, subject: string) => void errors.push({ error, subject });
  let nowMs = 0;
  const hub = createLocalBus({ onError, now: () => nowMs });
  const advance = async (ms: number) => {
    nowMs += ms;
  };
  return { errors, onError, hub, advance };
}

describeBus("the local bus", async (): Promise<BusHarness> => {
  const { errors, hub: a, advance } = createParts();
  const b = a.connect();
  await a.start();
  await b.start();
  return {
    ...{ a, b, errors, advance },
    settle: async () => {},
    close: async () => {
      await a.close();
      await b.close();
    },
  };
});

/** Which of two connections come through a port. */
const PORTS = [
  ["a bus behind a port, and the local one", true, false],
  ["the local bus, and one behind a port", false, true],
  ["two buses behind ports", true, true],
] as const;

for (const [title, aThroughPort, bThroughPort] of PORTS) {
  describeBus(title, async (): Promise<BusHarness> => {
    const { errors, onError, hub, advance } = createParts();
    const endings: (() => void)[] = [];
    const connections: Bus[] = [];
    await hub.start();
    for (const throughPort of [aThroughPort, bThroughPort]) {
      const connection = hub.connect();
      connections.push(connection);
      await connection.start();
      if (!throughPort) continue;
      const { port1, port2 } = new MessageChannel();
      const gate = openBusGate({ port: port1, bus: connection, onError });
      const bus = createPortBus({ port: port2, onError });
      await bus.start();
      connections.splice(-1, 1, bus);
      endings.push(() => {
        gate.close();
        port1.close();
      });
    }
    const [a, b] = connections as [Bus, Bus];
    return {
      ...{ a, b, errors, advance },
      async settle() {
        // Letters keep their order: when these are answered, all before them were carried out.
        await Promise.allSettled([a.readLease("settled"), b.readLease("settled")]);
        for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
      },
      async close() {
        await a.close();
        await b.close();
        for (const end of endings) end();
        await hub.close();
      },
    };
  });
}
