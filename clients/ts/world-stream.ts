import { Code } from "@connectrpc/connect";
import type { UpdateResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Clock } from "./clock.ts";
import { createEmitter, reportToConsole } from "./emitter.ts";
import type { ListenerErrorHandler, Unsubscribe } from "./emitter.ts";
import { RealmwireError, toRealmwireError } from "./errors.ts";
import { DEFAULT_RECONNECT_POLICY, isPermanent, reconnectDelayMs } from "./reconnect.ts";
import type { ReconnectPolicy } from "./reconnect.ts";

/** The server sends at least one message in five seconds. After this long without one, the connection is given up. */
export const SILENCE_MS = 12_000;
/** How long a new connection may take until its first message, in milliseconds. */
const FIRST_MESSAGE_MS = 5_000;

/** How a stream stands. */
export type StreamState =
  /** Before the first message. */
  | { readonly kind: "connecting" }
  | { readonly kind: "connected" }
  /** The connection was lost, or could not be made. `attempt` counts from 1; it begins after `retryInMs`. */
  | {
      readonly kind: "reconnecting";
      readonly attempt: number;
      readonly retryInMs: number;
      readonly error: RealmwireError;
    }
  /** It is over for good; without an error because the caller closed it. */
  | { readonly kind: "closed"; readonly error?: RealmwireError };

/** A stream of updates that survives the loss of its connection. */
export interface WorldStream {
  readonly state: StreamState;
  onState(listener: (state: StreamState) => void): Unsubscribe;
  /** Opens the stream. To be called once. */
  start(): void;
  /** Ends the stream. Calling it twice does no harm. */
  close(): void;
}

/** What a stream is made with. */
export interface WorldStreamOptions {
  /** Opens a connection that goes on behind the cursor; an empty one asks for everything. */
  readonly open: (cursor: string, signal: AbortSignal) => AsyncIterable<UpdateResponse>;
  /** Takes each message, in order, at the moment of its arrival. */
  readonly onMessage: (response: UpdateResponse) => void;
  readonly clock: Clock;
  /** Numbers from 0 to below 1, for the length of pauses. */
  readonly random: () => number;
  readonly reconnect?: Partial<ReconnectPolicy>;
  /** How long the server may be silent, in milliseconds. Default: 12 seconds. */
  readonly silenceMs?: number;
  /** How long a new connection may take until its first message, in milliseconds. Default: 5 seconds. */
  readonly firstMessageMs?: number;
  /** Where errors of listeners go. Default: the console. */
  readonly onListenerError?: ListenerErrorHandler;
}

/** One connection. Whatever still comes from it after it was given up is passed over. */
interface Connection {
  readonly controller: AbortController;
  /** When the first message came. */
  connectedAt: number | undefined;
  stopWatchdog: () => void;
}

/** Creates a stream. It resumes by cursor, reconnects as its policy says, and stops where reconnecting cannot help. */
export function createWorldStream(options: WorldStreamOptions): WorldStream {
  const { clock, silenceMs = SILENCE_MS, firstMessageMs = FIRST_MESSAGE_MS } = options;
  const policy: ReconnectPolicy = { ...DEFAULT_RECONNECT_POLICY, ...options.reconnect };
  const stateEmitter = createEmitter<[StreamState]>(options.onListenerError ?? reportToConsole);
  let state: StreamState = { kind: "connecting" };
  let connection: Connection | undefined;
  let cancelRetry = (): void => {};
  let cursor = "";
  let failures = 0;
  let wasConnected = false;

  const setState = (next: StreamState): void => {
    state = next;
    stateEmitter.emit(next);
  };

  const drop = (): void => {
    cancelRetry();
    connection?.stopWatchdog();
    connection?.controller.abort();
    connection = undefined;
  };

  const finish = (error?: RealmwireError): void => {
    if (state.kind === "closed") return;
    drop();
    setState(error ? { kind: "closed", error } : { kind: "closed" });
  };

  const lose = (lost: Connection, error: RealmwireError): void => {
    if (connection !== lost) return;
    drop();
    forgetFailuresIfHealthy(lost);
    failures++;
    // The caller plays another character now, of whom the cursor knows nothing.
    if (error.code === Code.Aborted) cursor = "";
    const limit = wasConnected ? policy.maxAttempts : policy.maxFirstAttempts;
    if (isPermanent(error) || failures >= limit) return finish(error);
    const retryInMs = reconnectDelayMs(failures, error, policy, options.random);
    cancelRetry = clock.after(retryInMs, connect);
    setState({ kind: "reconnecting", attempt: failures, retryInMs, error });
  };

  const forgetFailuresIfHealthy = ({ connectedAt }: Connection): void => {
    if (connectedAt !== undefined && clock.now() - connectedAt >= policy.healthyAfterMs)
      failures = 0;
  };

  const watch = (watched: Connection, limitMs: number): void => {
    watched.stopWatchdog();
    watched.stopWatchdog = clock.after(limitMs, () => {
      lose(
        watched,
        new RealmwireError(Code.Unavailable, `the server was silent for ${limitMs} ms`),
      );
    });
  };

  const receive = (from: Connection, response: UpdateResponse): void => {
    watch(from, silenceMs);
    if (response.cursor !== "") cursor = response.cursor;
    options.onMessage(response);
    if (from.connectedAt !== undefined || connection !== from) return;
    from.connectedAt = clock.now();
    wasConnected = true;
    setState({ kind: "connected" });
  };

  const read = async (from: Connection): Promise<void> => {
    try {
      for await (const response of options.open(cursor, from.controller.signal)) {
        if (connection !== from) return;
        receive(from, response);
      }
      lose(from, new RealmwireError(Code.Unavailable, "the server ended the stream"));
    } catch (error) {
      lose(from, toRealmwireError(error));
    }
  };

  const connect = (): void => {
    connection = {
      controller: new AbortController(),
      connectedAt: undefined,
      stopWatchdog: () => {},
    };
    watch(connection, firstMessageMs);
    void read(connection);
  };

  return {
    get state() {
      return state;
    },
    onState: stateEmitter.on,
    start() {
      if (state.kind === "connecting" && connection === undefined) connect();
    },
    close: () => finish(),
  };
}
