/**
 * The answers of a streaming call as serialized messages, for calls whose bytes are written by hand. It is
 * asked, it does not push: whoever writes to the client asks when the client has taken what was written.
 */
export interface ReadyStream {
  /** The next message; undefined when there is nothing to say at present. It holds until any stream is asked again: thousands share a buffer. */
  next(): Uint8Array<ArrayBuffer> | undefined;
  /** Whether the last message was the end. */
  ended(): boolean;
  /**
   * Tells once, by calling either, when it is worth asking again or the stream was closed, or with which error the stream is to end.
   * Without a promise: thousands of streams are told in each tick.
   */
  wait(ready: () => void, fail: (error: unknown) => void): void;
  /** To be called once, whatever happened. */
  close(): void;
}

/** The messages of a stream, read from their bytes, for transports that want messages. Ends when the signal aborts. */
export async function* messagesOf<T>(
  opened: Promise<ReadyStream>,
  parse: (bytes: Uint8Array) => T,
  signal: AbortSignal,
): AsyncGenerator<T> {
  const stream = await opened;
  let closed = false;
  function close(): void {
    if (closed) return;
    closed = true;
    stream.close();
  }
  signal.addEventListener("abort", close, { once: true });
  try {
    while (!signal.aborted) {
      const message = stream.next();
      // A message that was read may go on using its bytes.
      if (message) yield parse(message.slice());
      if (stream.ended()) return;
      if (!message) await new Promise<void>((resolve, reject) => stream.wait(resolve, reject));
    }
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}
