import { type Bus, BusError, type Lease, type Subscription } from "./bus.ts";
import { createLeaseTable, type LeaseTable } from "./local-leases.ts";
import { checkPattern, checkSubject, createSubjectTree, type SubjectTree } from "./subject.ts";

/** Messages that handlers may have published and nobody has got yet. Beyond it they are dropped and reported: handlers that answer each message with more would fill the memory. */
export const MAX_WAITING_MESSAGES = 65_536;

/** What a local bus is made with. */
export interface LocalBusOptions {
  /** Gets what a handler threw. Without it the error is thrown where nothing catches it, and ends the process. */
  readonly onError?: (error: unknown, subject: string) => void;
  /** A clock in milliseconds that does not go back, for leases. */
  readonly now?: () => number;
}

/** A bus within the process. */
export interface LocalBus extends Bus {
  /** Another connection to the same bus, with a `start` and `close` of its own: what a second node in the process would have. */
  connect(): LocalBus;
}

/**
 * Creates a bus within the process, where a message is a function call: `publish` has called all handlers,
 * in the order of their subscriptions, when it returns.
 *
 * No handler runs within another one. What a handler publishes waits until all have got the message at
 * hand, so that everybody sees all messages in one order. `request` calls the serving handler in a
 * microtask, so after the caller's own code; several who serve a subject take turns.
 *
 * A closed connection's leases stay until their time is over, as if its node had died.
 */
export function createLocalBus(options: LocalBusOptions = {}): LocalBus {
  const hub: Hub = {
    exchange: createExchange(options.onError ?? throwUncaught),
    responders: new Map(),
    leases: createLeaseTable({ now: options.now ?? (() => performance.now()) }),
  };
  return createConnection(hub);
}

type Handler = (payload: Uint8Array, subject: string) => void;
type Responder = (payload: Uint8Array) => Promise<Uint8Array>;

/** What all connections share. */
interface Hub {
  readonly exchange: Exchange;
  /** Who serves a subject, the one whose turn it is first. */
  readonly responders: Map<string, Responder[]>;
  readonly leases: LeaseTable;
}

interface Exchange {
  publish(subject: string, payload: Uint8Array): void;
  subscribe(pattern: string, handler: Handler): () => void;
}

/** Calls handlers, one at a time and never one within another. */
function createExchange(onError: (error: unknown, subject: string) => void): Exchange {
  const tree: SubjectTree<{ readonly handler: Handler; live: boolean }> = createSubjectTree();
  let waiting: { subject: string; payload: Uint8Array }[] = [];
  let delivering = false;

  function deliver(subject: string, payload: Uint8Array): void {
    for (const subscriber of tree.match(subject)) {
      // A handler before it may have ended it.
      if (!subscriber.live) continue;
      try {
        subscriber.handler(payload, subject);
      } catch (error) {
        onError(error, subject);
      }
    }
  }

  function publish(subject: string, payload: Uint8Array): void {
    if (delivering) {
      if (waiting.length < MAX_WAITING_MESSAGES) waiting.push({ subject, payload });
      else
        onError(
          new Error("a message was dropped: handlers publish faster than they handle"),
          subject,
        );
      return;
    }
    delivering = true;
    try {
      deliver(subject, payload);
      while (waiting.length > 0) {
        const round = waiting;
        waiting = [];
        for (const next of round) deliver(next.subject, next.payload);
      }
    } finally {
      delivering = false;
      waiting = [];
    }
  }

  function subscribe(pattern: string, handler: Handler): () => void {
    const subscriber = { handler, live: true };
    const remove = tree.add(pattern, subscriber);
    return () => {
      subscriber.live = false;
      remove();
    };
  }

  return { publish, subscribe };
}

/** One node's connection to the hub: it knows what it began, and ends that when it closes. */
function createConnection(hub: Hub): LocalBus {
  let state: "created" | "open" | "closed" = "created";
  const endings = new Set<() => void>();

  function notOpen(): BusError | undefined {
    if (state === "open") return undefined;
    return new BusError(
      "closed",
      state === "closed" ? "the bus is closed" : "the bus is not started",
    );
  }

  function checkOpen(): void {
    const error = notOpen();
    if (error !== undefined) throw error;
  }

  /** Something that ends once: when it is closed, or with the connection. */
  function endable(end: () => void): Subscription {
    const close = () => {
      if (endings.delete(close)) end();
    };
    endings.add(close);
    return { close };
  }

  return {
    async start() {
      if (state === "closed") throw new BusError("closed", "a closed bus cannot be started again");
      state = "open";
    },
    async close() {
      state = "closed";
      for (const close of endings) close();
    },
    publish(subject, payload) {
      checkOpen();
      checkSubject(subject);
      hub.exchange.publish(subject, payload);
    },
    subscribe(pattern, handler) {
      checkOpen();
      checkPattern(pattern);
      return endable(hub.exchange.subscribe(pattern, handler));
    },
    async request(subject, payload, { timeoutMs }) {
      checkOpen();
      checkSubject(subject);
      return ask(hub, subject, payload, timeoutMs, endable);
    },
    serve(subject, handler) {
      checkOpen();
      checkSubject(subject);
      return endable(addResponder(hub.responders, subject, handler));
    },
    async acquireLease(key, { value, ttlMs }) {
      checkOpen();
      checkSubject(key);
      const lease = hub.leases.acquire(key, value, ttlMs);
      return lease && leaseOf(lease, checkOpen);
    },
    async readLease(key) {
      checkOpen();
      checkSubject(key);
      return hub.leases.read(key);
    },
    connect: () => createConnection(hub),
  };
}

/** A lease that can be used only while its connection is open. */
function leaseOf(lease: Lease, checkOpen: () => void): Lease {
  return {
    key: lease.key,
    async renew() {
      checkOpen();
      return lease.renew();
    },
    async release() {
      checkOpen();
      await lease.release();
    },
  };
}

function addResponder(
  responders: Map<string, Responder[]>,
  subject: string,
  handler: Responder,
): () => void {
  // A function of its own, since the same handler may serve twice.
  const responder: Responder = (payload) => handler(payload);
  responders.set(subject, [...(responders.get(subject) ?? []), responder]);
  return () => {
    const left = (responders.get(subject) ?? []).filter((other) => other !== responder);
    if (left.length > 0) responders.set(subject, left);
    else responders.delete(subject);
  };
}

function ask(
  hub: Hub,
  subject: string,
  payload: Uint8Array,
  timeoutMs: number,
  endable: (end: () => void) => Subscription,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const open = endable(() => {
      clearTimeout(timer);
      reject(new BusError("closed", `the bus was closed before ${subject} was answered`));
    });
    const timer = setTimeout(() => {
      reject(new BusError("timeout", `${subject} was not answered within ${timeoutMs} ms`));
      open.close();
    }, timeoutMs);
    // After the first `resolve` or `reject` the others, and so the one of `open`, do nothing.
    answer(hub, subject, payload)
      .then(resolve, reject)
      .finally(() => open.close());
  });
}

async function answer(hub: Hub, subject: string, payload: Uint8Array): Promise<Uint8Array> {
  await Promise.resolve();
  const [responder, ...others] = hub.responders.get(subject) ?? [];
  if (responder === undefined) throw new BusError("no-responder", `nobody serves ${subject}`);
  hub.responders.set(subject, [...others, responder]);
  try {
    return await responder(payload);
  } catch (error) {
    throw new BusError("failed", error instanceof Error ? error.message : String(error));
  }
}

function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
