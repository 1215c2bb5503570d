import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorDetailSchema, ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";

/** The error for a request that did not arrive in time. */
export function requestTooSlow(timeoutMs: number): ConnectError {
  const limit = String(timeoutMs / 1000);
  const value = { reason: ErrorReason.REQUEST_TOO_SLOW, metadata: { limit } };
  return new ConnectError(
    `the request did not arrive within ${limit} s`,
    Code.DeadlineExceeded,
    undefined,
    [{ desc: ErrorDetailSchema, value }],
  );
}

/** A body of which nothing more is read than its error. */
export function thatFails(error: ConnectError): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        throw error;
      },
    }),
  };
}

/** A body that throws when it did not end in time, from the moment on at which it is first read. */
export async function* inTime(
  body: AsyncIterable<Uint8Array>,
  timeoutMs: number,
): AsyncGenerator<Uint8Array> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(requestTooSlow(timeoutMs)), timeoutMs);
  const source = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const step = await Promise.race([source.next(), late.promise]);
      if (step.done) return;
      yield step.value;
    }
  } finally {
    clearTimeout(timer);
    // Whoever waits for more of it is told when the stream closes; nobody waits for that.
    source.return?.()?.catch(() => undefined);
  }
}
