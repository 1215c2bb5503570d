/**
 * Takes the messages of a client stream, one after the other: it is pushed, so that a message costs no promise.
 * `I` is the request, `O` what an answer is made of.
 */
export interface MessageSink<I, O> {
  /** Takes a message. While a promise that comes back is pending, no other message comes. What is thrown ends the call. */
  take(message: I): void | Promise<void>;
  /** The client has ended its stream: the answer. */
  finish(): O | Promise<O>;
  /** Is called once, whatever happened, when nothing comes any more. */
  close(): void;
}

/** Ends a call from the inside, with the error that its client is to be told. */
export type EndCall = (error: unknown) => void;
