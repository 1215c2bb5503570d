import { createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { WorldService } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";

/** The pause between two Moves, in milliseconds. */
const PAUSE_MS = 200;

/** A call of the SDK is given up after this time, in milliseconds. */
export const CALL_TIMEOUT_MS = 10_000;

/** What somebody noticed who played on meanwhile, in milliseconds. */
export interface Impressions {
  /** The longest time without a message on the stream. */
  readonly longestSilence: number;
  readonly slowestMove: number;
  readonly medianMove: number;
  readonly moves: number;
  readonly messages: number;
}

/** Somebody who plays while others make trouble: walks to and fro, and watches the stream. */
export interface Onlooker {
  /** Ends, and tells. Rejects when a call failed or the stream ended. */
  leave(): Promise<Impressions>;
}

/** Enters the world, and resolves when the first message came. */
export async function startOnlooker(baseUrl: string, token: string): Promise<Onlooker> {
  const sessionManager = new Http2SessionManager(baseUrl);
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", `Bearer ${token}`);
        return next(request);
      },
    ],
  });
  const world = createClient(WorldService, transport);
  const ending = new AbortController();
  const entered = Promise.withResolvers<void>();
  const moves: number[] = [];
  let longestSilence = 0;
  let messages = 0;
  let lastAt = performance.now();
  let left = false;

  const noteSilence = () => {
    longestSilence = Math.max(longestSilence, performance.now() - lastAt);
    lastAt = performance.now();
  };
  const reading = (async () => {
    for await (const _ of world.update({}, { signal: ending.signal })) {
      if (messages++ > 0) noteSilence();
      else lastAt = performance.now();
      entered.resolve();
    }
  })().catch((error: unknown) => {
    entered.reject(error);
    if (!left) throw error;
  });
  reading.catch(() => {});
  await entered.promise;

  const walking = (async () => {
    while (!left) {
      const began = performance.now();
      const x = moves.length % 2 === 0 ? 1 : -1;
      await world.move(
        { kind: { case: "direction", value: { x } } },
        { timeoutMs: CALL_TIMEOUT_MS },
      );
      moves.push(performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  })();
  walking.catch(() => {});
  return {
    async leave() {
      left = true;
      await walking;
      noteSilence();
      ending.abort();
      await reading;
      sessionManager.abort();
      const sorted = moves.toSorted((a, b) => a - b);
      return {
        longestSilence,
        slowestMove: sorted.at(-1) ?? 0,
        medianMove: sorted[sorted.length >> 1] ?? 0,
        moves: moves.length,
        messages,
      };
    },
  };
}
