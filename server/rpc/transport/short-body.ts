import { bodyOf } from "./connect-adapter.ts";
import { ENVELOPE_BYTES, plainSizeOf } from "./envelope.ts";
import type { PortRequest } from "./plain-answer.ts";
import { requestTooSlow, thatFails } from "./slow-requests.ts";

/** What is told of a body, once. Nothing is told of a request that breaks off. */
export interface BodyReader {
  /** It was one plain message; `body` is that with its envelope, if it has one. */
  readonly onMessage: (message: Uint8Array, body: Uint8Array) => void;
  /** It is anything else: too large, packed, broken, more than one. This is all of it, read already or not. */
  readonly onUnusual: (body: AsyncIterable<Uint8Array>) => void;
}

/**
 * Reads the one message of a body, which is enveloped or the whole of it. What is unusual is told as soon as it is known; a body that takes longer than
 * `timeoutMs` is one that fails.
 */
export function readBody(
  request: PortRequest,
  {
    enveloped,
    maxBytes,
    timeoutMs,
  }: { enveloped: boolean; maxBytes: number; timeoutMs: number | undefined },
  reader: BodyReader,
): void {
  const headBytes = enveloped ? ENVELOPE_BYTES : 0;
  const chunks: Uint8Array[] = [];
  let size = 0;
  /** How large the body is to be at most; of an enveloped one, once its head is there, exactly. */
  let wanted = maxBytes + headBytes;
  let hasHead = !enveloped;
  const timer = timeoutMs === undefined ? undefined : setTimeout(onLate, timeoutMs, timeoutMs);

  function onData(chunk: Uint8Array): void {
    chunks.push(chunk);
    size += chunk.length;
    if (!hasHead && size >= headBytes) {
      hasHead = true;
      const message = plainSizeOf(joined());
      wanted = message === undefined || message > maxBytes ? -1 : message + headBytes;
    }
    if (size <= wanted) return;
    stop();
    request.pause();
    reader.onUnusual(before(chunks, request));
  }
  function onEnd(): void {
    stop();
    const isMessage = enveloped ? hasHead && size === wanted : true;
    if (!isMessage) {
      reader.onUnusual(inOrder(chunks));
      return;
    }
    const body = joined();
    reader.onMessage(enveloped ? body.subarray(headBytes) : body, body);
  }
  function onLate(limitMs: number): void {
    stop();
    request.pause();
    reader.onUnusual(thatFails(requestTooSlow(limitMs)));
  }
  function joined(): Uint8Array {
    const [first] = chunks;
    if (chunks.length !== 1 || first === undefined) {
      chunks.splice(0, chunks.length, Buffer.concat(chunks));
      return chunks[0] as Uint8Array;
    }
    return first;
  }
  function stop(): void {
    clearTimeout(timer);
    request.off("data", onData);
    request.off("end", onEnd);
    request.off("close", stop);
  }
  request.on("data", onData);
  request.on("end", onEnd);
  if (timer !== undefined) request.on("close", stop);
}

/** A body that was read already. */
export async function* inOrder(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function* before(
  chunks: readonly Uint8Array[],
  request: PortRequest,
): AsyncGenerator<Uint8Array> {
  yield* chunks;
  yield* bodyOf(request);
}
