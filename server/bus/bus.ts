/** Ends what a subscription or a service began. Calling it twice does no harm. */
export interface Subscription {
  close(): void;
}

/**
 * A lease: for as long as it is renewed, nobody else can have the same key.
 */
export interface Lease {
  readonly key: string;
  /** Prolongs it by its time to live; false when it was lost, and then it is over for good. */
  renew(): Promise<boolean>;
  /** Gives it back. Does nothing when it was lost. */
  release(): Promise<void>;
}

/**
 * How the parts of a server talk to each other, in one process or across nodes. The shape is that of NATS.
 *
 * - A subject is made of tokens joined by dots; a token holds letters, digits, `_` and `-`. In a subscription
 *   `*` stands for one token and a final `>` for one or more.
 * - A payload is bytes that nobody changes after handing them over.
 * - Delivery is at most once and, from one publisher on one subject, in order. A handler that throws is
 *   reported to the bus's `onError` and disturbs nobody else.
 */
export interface Bus {
  start(): Promise<void>;
  /** Ends all subscriptions; open requests reject. */
  close(): Promise<void>;

  /** Sends to all subscribers, without waiting for them. */
  publish(subject: string, payload: Uint8Array): void;
  subscribe(pattern: string, handler: (payload: Uint8Array, subject: string) => void): Subscription;

  /**
   * Asks whoever serves the subject. Rejects with a {@link BusError}: `no-responder` at once when nobody serves
   * it, `timeout` after `timeoutMs`, `failed` when the other side's handler rejected (with its message).
   */
  request(
    subject: string,
    payload: Uint8Array,
    options: { timeoutMs: number },
  ): Promise<Uint8Array>;
  /** Answers requests; of several who serve a subject each request reaches one. */
  serve(subject: string, handler: (payload: Uint8Array) => Promise<Uint8Array>): Subscription;

  /** Takes a lease, or resolves to undefined when somebody holds it. `value` is what others read as the holder. */
  acquireLease(
    key: string,
    options: { value: Uint8Array; ttlMs: number },
  ): Promise<Lease | undefined>;
  /** What the holder of a lease wrote; undefined when nobody holds it. */
  readLease(key: string): Promise<Uint8Array | undefined>;
}

/** Why a request failed. */
export type BusErrorKind = "no-responder" | "timeout" | "failed" | "closed";

/** A request that was not answered. */
export class BusError extends Error {
  readonly kind: BusErrorKind;

  constructor(kind: BusErrorKind, message: string) {
    super(message);
    this.name = "BusError";
    this.kind = kind;
  }
}
