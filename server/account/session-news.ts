import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { SessionState } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import {
  AccountChangedSchema,
  SessionEndedSchema,
} from "../../gen/ts/realmwire/internal/v1/session_pb.ts";
import type { Bus, Subscription } from "../bus/bus.ts";
import { sessionKey } from "./tokens.ts";

const SESSION_SUBJECT = "session.ended";
const ACCOUNT_SUBJECT = "account.changed";

/** How a session ended. */
export type EndState = typeof SessionState.REPLACED | typeof SessionState.ENDED;

/** Whether a session in this state is over. */
export function isEnd(state: SessionState): state is EndState {
  return state === SessionState.REPLACED || state === SessionState.ENDED;
}

/** What the nodes tell each other about sessions. A message may be lost; then caches are wrong until their time is over. */
export interface SessionNews {
  start(): void;
  close(): void;
  /** Tells all nodes, this one included, how a session stands now. LIVE: it plays another character. */
  sessionChanged(tokenHash: Uint8Array, state: SessionState): void;
  /** Tells all nodes that the role of an account changed. */
  accountChanged(accountId: number): void;
  onSessionEnded(listener: (key: string, state: EndState) => void): Subscription;
  onCharacterChanged(listener: (key: string) => void): Subscription;
  onAccountChanged(listener: (accountId: number) => void): Subscription;
}

/** Creates the exchange of news about sessions over a bus. */
export function createSessionNews(options: {
  readonly bus: Pick<Bus, "publish" | "subscribe">;
}): SessionNews {
  const { bus } = options;
  const ended = createListeners<[string, EndState]>();
  const characterChanged = createListeners<[string]>();
  const accountChanged = createListeners<[number]>();
  let subscriptions: Subscription[] = [];

  function onSession(payload: Uint8Array): void {
    const { tokenHash, state } = fromBinary(SessionEndedSchema, payload);
    const key = sessionKey(tokenHash);
    if (isEnd(state)) {
      ended.tell(key, state);
    } else {
      characterChanged.tell(key);
    }
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
    sessionChanged(tokenHash, state) {
      const message = create(SessionEndedSchema, { tokenHash, state });
      bus.publish(SESSION_SUBJECT, toBinary(SessionEndedSchema, message));
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
