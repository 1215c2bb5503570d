import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { Client } from "@connectrpc/connect";
import {
  InputRequestSchema,
  MoveOutcomeSchema,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type {
  InputRequest,
  UpdateResponse,
  WorldService,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Clock } from "./clock.ts";
import { RealmwireError, toRealmwireError } from "./errors.ts";
import { MAX_MOVES_PER_MESSAGE, resultOf } from "./move-sender.ts";
import type { MoveSender, PendingMove } from "./move-sender.ts";
import type { Point } from "./value.ts";

/** Moves that may wait for the update stream to tell what came of them; beyond it the oldest fail. */
export const MAX_WAITING_MOVES = 512;
/** How long the server may take to answer a stream that was ended, in milliseconds. */
const CLOSE_TIMEOUT_MS = 5_000;

/** Sends moves on a stream, and learns from the updates what came of them. */
export interface InputSender extends MoveSender {
  /** Takes a message of the update stream, with where the character is by it. */
  observe(update: UpdateResponse, position: Point | undefined): void;
  /** Gives the stream up at once: its connection seems to be lost. */
  abandon(): void;
}

/** What the sender is made with. */
export interface InputSenderOptions {
  readonly world: Client<typeof WorldService>;
  readonly clock: Clock;
  /** The server takes no streams, or something on the way to it does not: these moves are to go another way, and all others too. */
  readonly onUnusable: (moves: readonly PendingMove[]) => void;
}

/** One stream. */
interface OpenStream {
  readonly unsent: PendingMove[];
  /** Sent or not, the oldest first. */
  waiting: PendingMove[];
  readonly controller: AbortController;
  wake: () => void;
  isEnding: boolean;
}

/** A sender that opens a stream with its first move, and another one after a failure. */
export function createInputSender(options: InputSenderOptions): InputSender {
  const { world, clock, onUnusable } = options;
  /** Those that have not ended, the one in use last. */
  let streams: OpenStream[] = [];
  let ended: Promise<void> = Promise.resolve();

  function current(): OpenStream {
    const last = streams.at(-1);
    if (last && !last.isEnding) return last;
    const controller = new AbortController();
    const opened: OpenStream = {
      unsent: [],
      waiting: [],
      controller,
      wake: () => {},
      isEnding: false,
    };
    streams.push(opened);
    // The server ends an older stream when a newer one comes, so that one has its time.
    ended = ended.then(() => run(opened));
    return opened;
  }

  async function run(opened: OpenStream): Promise<void> {
    try {
      await world.input(requestsOf(opened), { signal: opened.controller.signal });
      lose(opened, new RealmwireError(Code.Canceled, "the stream of moves has ended"));
    } catch (error) {
      lose(opened, toRealmwireError(error));
    }
  }

  function lose(lost: OpenStream, error: RealmwireError): void {
    end(lost);
    streams = streams.filter((stream) => stream !== lost);
    const failed = lost.waiting.splice(0);
    if (error.code === Code.Unimplemented) onUnusable(failed);
    else for (const { fail } of failed) fail(error);
  }

  function end(stream: OpenStream): void {
    stream.isEnding = true;
    stream.wake();
  }

  return {
    send(moves) {
      const stream = current();
      stream.waiting.push(...moves);
      stream.unsent.push(...moves);
      const tooMany = stream.waiting.splice(0, stream.waiting.length - MAX_WAITING_MOVES);
      const error = new RealmwireError(Code.DeadlineExceeded, "the server tells nothing of moves");
      for (const { fail } of tooMany) fail(error);
      stream.wake();
    },
    observe({ acknowledged, refused, tick }, position) {
      const refusals = new Map(refused.map((outcome) => [outcome.sequence, outcome]));
      for (const stream of streams) {
        stream.waiting = stream.waiting.filter(({ move: { sequence }, settle }) => {
          const refusal = refusals.get(sequence);
          if (!refusal && sequence > acknowledged) return true;
          settle(resultOf(refusal ?? madeAt(sequence, position), tick));
          return false;
        });
      }
    },
    async drain() {
      if (streams.length === 0) return;
      const cancel = clock.after(CLOSE_TIMEOUT_MS, abandonAll);
      for (const stream of streams) end(stream);
      await ended;
      cancel();
    },
    abandon: abandonAll,
  };

  function abandonAll(): void {
    for (const stream of streams) stream.controller.abort();
  }
}

function madeAt(sequence: number, position: Point | undefined) {
  const { x = 0, y = 0, z = 0 } = position ?? {};
  return create(MoveOutcomeSchema, { sequence, position: { x, y, z } });
}

/** The messages of a stream: each has all moves that came up since the one before was taken. */
async function* requestsOf(stream: OpenStream): AsyncGenerator<InputRequest> {
  for (;;) {
    const moves = stream.unsent.splice(0, MAX_MOVES_PER_MESSAGE).map(({ move }) => move);
    if (moves.length > 0) yield create(InputRequestSchema, { moves });
    else if (stream.isEnding) return;
    else {
      await new Promise<void>((resolve) => {
        stream.wake = resolve;
      });
    }
  }
}
