import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { SessionState } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import {
  AccountChangedSchema,
  type SessionEnded,
  SessionEndedSchema,
} from "../../gen/ts/realmwire/internal/v1/session_pb.ts";
import type { Bus, Subscription } from "../bus/bus.ts";
import { endOf, type SessionEnd } from "./session-end.ts";
import { sessionKey } from "./tokens.ts";

const SESSION_SUBJECT = "session.ended";
const ACCOUNT_SUBJECT = "account.changed";

/** What the nodes tell each other about sessions. A message may be lost; then caches are wrong until their time is over. */
export interface SessionNews {
  start(): void;
  close(): void;
  /** Tells all nodes, this one included, that a session is over. */
  sessionEnded(tokenHash: Uint8Array, end: SessionEnd): void;
  /** Tells all nodes, this one included, that a session plays another character now. */
  characterChanged(tokenHash: Uint8Array): void;
  /** Tells all nodes that the role or the ban of an account changed. */
  accountChanged(accountId: number): void;
  onSessionEnded(listener: (key: string, end: SessionEnd) => void): Subscription;
  onCharacterChanged(listener: (key: string) => void): Subscription;
  onAccountChanged(listener: (accountId: number) => void): Subscription;
}

/** Creates the exchange of news about sessions over a bus. */
export function createSessionNews(options: {
  readonly bus: Pick<Bus, "publish" | "subscribe">;
}): SessionNews {
  const { bus } = options;
  const ended = createListeners<[string, SessionEnd]>();
  const characterChanged = createListeners<[string]>();
  const accountChanged = createListeners<[number]>();
  let subscriptions: Subscription[] = [];

  function onSession(payload: Uint8Array): void {
    const news = fromBinary(SessionEndedSchema, payload);
    const key = sessionKey(news.tokenHash);
    const end = readEnd(news);
    if (end) {
      ended.tell(key, end);
    } else {
      characterChanged.tell(key);
    }
  }

  function publish(news: MessageInitShape<typeof SessionEndedSchema>): void {
    bus.publish(SESSION_SUBJECT, toBinary(SessionEndedSchema, create(SessionEndedSchema, news)));
  }

  return {
    start() {
      subscriptions = [
        bus.subscribe(SESSION_SUBJECT, onSession),
        bus.subscribe(ACCOUNT_SUBJECT, (payload) =>
          accountChanged.tell(fromBinary(AccountChangedSchema, payload).accountId),
        ),
      ];
    },
    close() {
      for (const subscription of subscriptions) {
        subscription.close();
      }
    },
    sessionEnded(tokenHash, end) {
      publish({ tokenHash, ...writeEnd(end) });
    },
    characterChanged(tokenHash) {
      publish({ tokenHash, state: SessionState.LIVE });
    },
    accountChanged(accountId) {
      const message = create(AccountChangedSchema, { accountId });
      bus.publish(ACCOUNT_SUBJECT, toBinary(AccountChangedSchema, message));
    },
    onSessionEnded: ended.add,
    onCharacterChanged: characterChanged.add,
    onAccountChanged: accountChanged.add,
  };
}

const STATES = {
  replaced: SessionState.REPLACED,
  ended: SessionState.ENDED,
  kicked: SessionState.KICKED,
  banned: SessionState.ENDED,
} as const;

function writeEnd(end: SessionEnd): MessageInitShape<typeof SessionEndedSchema> {
  const state = STATES[end.kind];
  if (end.kind === "kicked") return { state, endReason: end.reason };
  return end.kind === "banned" ? { state, accountId: end.accountId, ban: end.ban } : { state };
}

function readEnd({ state, endReason, accountId, ban }: SessionEnded): SessionEnd | undefined {
  return ban ? { kind: "banned", accountId, ban } : endOf(state, endReason);
}

interface Listeners<A extends unknown[]> {
  add(listener: (...news: A) => void): Subscription;
  tell(...news: A): void;
}

function createListeners<A extends unknown[]>(): Listeners<A> {
  const listeners = new Set<(...news: A) => void>();
  return {
    add(listener) {
      listeners.add(listener);
      return { close: () => listeners.delete(listener) };
    },
    tell(...news) {
      const errors: unknown[] = [];
      for (const listener of listeners) {
        try {
          listener(...news);
        } catch (error) {
          errors.push(error);
        }
      }
      // The bus reports it; the other listeners have been told all the same.
      if (errors.length > 0) {
        throw new AggregateError(errors, "a listener failed");
      }
    },
  };
}
