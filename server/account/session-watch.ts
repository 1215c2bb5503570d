import type { Subscription } from "../bus/bus.ts";
import { DomainError } from "../errors.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { SessionFinder } from "./authenticator.ts";
import { endError } from "./session-end.ts";
import type { SessionNews } from "./session-news.ts";
import type { Authenticator, SessionStanding } from "./session.ts";

/** How often it is looked whether a session ran out, in milliseconds. */
export const EXPIRY_CHECK_MS = 1_000;
/** How long a session goes on that cannot be looked up because the store is away, in milliseconds; then it is tried again. */
const RETRY_MS = 10_000;

type Listener = Parameters<Authenticator["watch"]>[1];

interface Watched {
  readonly accountId: number;
  readonly listeners: Set<Listener>;
  /** When it is to be looked up, in milliseconds since 1970-01-01: when it runs out, as far as is known. */
  dueMs: number;
}

/** Watches sessions that somebody holds on to. */
export interface SessionWatch extends Pick<Authenticator, "watch"> {
  start(): void;
  close(): void;
}

/** Nobody holds on to a session yet. */
export function createSessionWatch(options: {
  readonly find: SessionFinder;
  readonly news: Pick<SessionNews, "onSessionEnded" | "onAccountChanged">;
  /** Milliseconds since 1970-01-01. */
  readonly now: () => number;
}): SessionWatch {
  const { find, news, now } = options;
  const watched = new Map<string, Watched>();
  let subscriptions: Subscription[] = [];
  let timer: NodeJS.Timeout | undefined;

  function tell(key: string, standing: SessionStanding): void {
    // Some listeners close their subscription when they are told.
    for (const listener of [...(watched.get(key)?.listeners ?? [])]) listener(standing);
  }

  function lookUp(key: string, entry: Watched): void {
    entry.dueMs = Infinity;
    find(key).then(
      ({ session, expiresAtMs }) => {
        entry.dueMs = expiresAtMs;
        tell(key, { kind: "live", session });
      },
      (error: unknown) => {
        const isOver =
          error instanceof DomainError && error.reason !== ErrorReason.STORE_UNAVAILABLE;
        if (isOver) tell(key, { kind: "over", error });
        else entry.dueMs = now() + RETRY_MS;
      },
    );
  }

  function lookUpDue(): void {
    const time = now();
    for (const [key, entry] of watched) if (entry.dueMs <= time) lookUp(key, entry);
  }

  return {
    start() {
      timer = setInterval(lookUpDue, EXPIRY_CHECK_MS);
      subscriptions = [
        news.onSessionEnded((key, end) => tell(key, { kind: "over", error: endError(end) })),
        news.onAccountChanged((accountId) => {
          for (const [key, entry] of watched) {
            if (entry.accountId === accountId) lookUp(key, entry);
          }
        }),
      ];
    },
    close() {
      clearInterval(timer);
      for (const subscription of subscriptions) subscription.close();
    },
    watch({ key, accountId }, listener) {
      let entry = watched.get(key);
      if (entry === undefined) {
        entry = { accountId, listeners: new Set(), dueMs: 0 };
        watched.set(key, entry);
      }
      // When it runs out is looked up soon; so is what changed since the call was let in.
      entry.dueMs = 0;
      const { listeners } = entry;
      listeners.add(listener);
      return {
        close() {
          listeners.delete(listener);
          if (listeners.size === 0 && watched.get(key)?.listeners === listeners)
            watched.delete(key);
        },
      };
    },
  };
}
