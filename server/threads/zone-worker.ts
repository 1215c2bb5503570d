// A thread that simulates zones: the game, a server of zones, and a bus that leads to the main thread.
import { parentPort, workerData } from "node:worker_threads";
import { createPortBus } from "../bus/port-bus.ts";
import { loadGame } from "../load-game.ts";
import { createTickTimes } from "../metrics/tick-times.ts";
import { createZoneServer } from "../zone/zone-server.ts";
import { createThreadLogger } from "./thread-log.ts";
import { closeSubject, pingSubject, readySubject } from "./thread-subjects.ts";
import type { ZoneThreadData } from "./thread-subjects.ts";

const NO_BYTES = new Uint8Array();

const port = parentPort;
if (!port) throw new Error("This module runs in a worker thread.");
const { thread, game: folder, tickTimes } = workerData as ZoneThreadData;
const bus = createPortBus({
  port,
  onError: (err, subject) => logger.error({ err, subject }, "a handler on the bus failed"),
});
await bus.start();
const logger = createThreadLogger(bus, thread);
const { game, world } = await loadGame(folder);
const { viewRadius } = game;
const onStep = tickTimes && createTickTimes([...world.maps.keys()].sort(), tickTimes).note;
const zones = createZoneServer({ host: thread, bus, world, viewRadius, logger, onStep });
zones.start();
bus.serve(pingSubject(thread), async () => NO_BYTES);
bus.subscribe(closeSubject(thread), () => {
  process.off("exit", tellWhy);
  zones.close();
  void bus.close();
  port.close();
});
process.on("exit", tellWhy);
bus.publish(readySubject(thread), NO_BYTES);

/** The thread ends, and not by order: what led to it is all that can be saved of its zones. */
function tellWhy(code: number): void {
  zones.fail(new Error(`the thread ended with code ${code}`));
  bus.flush();
}
