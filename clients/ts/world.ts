import type { DescMessage } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { RealmwireError } from "./errors.ts";
import { createServerClock } from "./server-clock.ts";
import type { ServerClock } from "./server-clock.ts";
import { createWorldStream } from "./world-stream.ts";
import type { StreamState, WorldStream, WorldStreamOptions } from "./world-stream.ts";
import { createWorldView } from "./world-view.ts";
import type { WorldView } from "./world-view.ts";

/** The world around the caller's character, kept up to date for as long as it is open. */
export interface World extends Omit<WorldStream, "start"> {
  /** What is in view. It keeps what it has while the stream reconnects. */
  readonly view: WorldView;
  /** The server's time and tick. */
  readonly clock: ServerClock;
  /** Resolves when the first message has come; rejects with a `RealmwireError` when the stream ends before that. */
  ready(): Promise<void>;
}

/** What a world is made with: a stream's options, and the types of the game's components. */
export interface WorldOptions extends Omit<WorldStreamOptions, "onMessage"> {
  readonly components?: readonly DescMessage[];
}

/** Joins a stream, a view and a server clock, and opens the stream. */
export function openWorld(options: WorldOptions): World {
  const view = createWorldView(options);
  const clock = createServerClock(options);
  const stream = createWorldStream({
    ...options,
    onMessage(response) {
      // The clock first, so that listeners of the view see the time of what they are told.
      clock.observe(response);
      view.apply(response);
    },
  });
  stream.start();
  return {
    view,
    clock,
    get state() {
      return stream.state;
    },
    onState: stream.onState,
    ready: () => untilConnected(stream),
    close: stream.close,
  };
}

function untilConnected(stream: WorldStream): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (state: StreamState): void => {
      if (state.kind === "connected") resolve();
      else if (state.kind === "closed") {
        reject(state.error ?? new RealmwireError(Code.Canceled, "the world was closed"));
      } else return;
      unsubscribe();
    };
    const unsubscribe = stream.onState(settle);
    settle(stream.state);
  });
}
