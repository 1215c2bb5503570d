import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { FORESTS, nameOf, PASSWORD } from "./order.ts";

const MOVE_EVERY_MS = 200;

/** What was measured of players in one kind of zone, in milliseconds. */
export interface Measured {
  /** Answers to Moves. */
  readonly moves: number[];
  /** From one update to the next. */
  readonly intervals: number[];
  /** Ticks that passed, and the time that they took, over all players. */
  ticks: number;
  elapsedMs: number;
}

/** Players who walk about until they are stopped. */
export interface Walkers {
  /** Forgets what was measured until now. */
  reset(): void;
  readonly plain: Measured;
  readonly forests: Measured;
  stop(): void;
}

/** Logs the players in and lets them walk; resolves when each has seen the world. */
export async function startWalkers(baseUrl: string, players: number): Promise<Walkers> {
  const controller = new AbortController();
  const empty = (): Measured => ({ moves: [], intervals: [], ticks: 0, elapsedMs: 0 });
  let plain = empty();
  let forests = empty();

  async function walk(player: number): Promise<void> {
    const kind = () => (player < players ? plain : forests);
    const { signal } = controller;
    const anonymous = createClient(
      WorldService,
      createConnectTransport({ baseUrl, httpVersion: "1.1" }),
    );
    const { token } = await anonymous.login({ name: nameOf(player), password: PASSWORD });
    const world = createClient(
      WorldService,
      createConnectTransport({
        ...{ baseUrl, httpVersion: "1.1" as const },
        interceptors: [
          (next) => (request) => {
            request.header.set("authorization", `Bearer ${token}`);
            return next(request);
          },
        ],
      }),
    );
    const seen = Promise.withResolvers<void>();
    const watch = async () => {
      let last: { tick: number; at: number } | undefined;
      for await (const { tick } of world.update({}, { signal })) {
        const at = performance.now();
        seen.resolve();
        if (last) {
          const measured = kind();
          measured.intervals.push(at - last.at);
          measured.elapsedMs += at - last.at;
          measured.ticks += tick - last.tick;
        }
        last = { tick, at };
      }
    };
    const move = async () => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * MOVE_EVERY_MS));
      for (let turn = 0; !signal.aborted; turn++) {
        const began = performance.now();
        const value = { x: turn % 2 === 0 ? 1 : -1, y: 0 };
        await world.move({ kind: { case: "direction", value } }, { signal });
        const took = performance.now() - began;
        kind().moves.push(took);
        await new Promise((resolve) => setTimeout(resolve, Math.max(1, MOVE_EVERY_MS - took)));
      }
    };
    const fail = (error: unknown) => {
      if (!signal.aborted) seen.reject(error);
    };
    void watch().catch(fail);
    await seen.promise;
    void move().catch(fail);
  }

  const all = Array.from({ length: players + FORESTS.length }, (_, player) => player);
  for (const player of all) await walk(player);
  return {
    reset() {
      plain = empty();
      forests = empty();
    },
    get plain() {
      return plain;
    },
    get forests() {
      return forests;
    },
    stop: () => controller.abort(),
  };
}
