import { bodyOf } from "./connect-adapter.ts";
import { ENVELOPE_BYTES, plainSizeOf } from "./envelope.ts";
import type { PortRequest } from "./plain-answer.ts";

/** What is told of a body, once. Nothing is told of a request that breaks off. */
export interface BodyReader {
  /** It was one plain message; `body` is that with its envelope, if it has one. */
  readonly onMessage: (message: Uint8Array, body: Uint8Array) => void;
  /** It is anything else: too large, packed, broken, more than one. This is all of it, read already or not. */
  readonly onUnusual: (body: AsyncIterable<Uint8Array>) => void;
}

/** Reads the one message of a body, which is enveloped or the whole of it. What is unusual is told as soon as it is known. */
export function readBody(
  request: PortRequest,
  { enveloped, maxBytes }: { enveloped: boolean; maxBytes: number },
  reader: BodyReader,
): void {
  const headBytes = enveloped ? ENVELOPE_BYTES : 0;
  const chunks: Uint8Array[] = [];
  let size = 0;
  /** How large the body is to be at most; of an enveloped one, once its head is there, exactly. */
  let wanted = maxBytes + headBytes;
  let hasHead = !enveloped;

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
  function joined(): Uint8Array {
    const [first] = chunks;
    if (chunks.length !== 1 || first === undefined) {
      chunks.splice(0, chunks.length, Buffer.concat(chunks));
      return chunks[0] as Uint8Array;
    }
    return first;
  }
  function stop(): void {
    request.off("data", onData);
    request.off("end", onEnd);
  }
  request.on("data", onData);
  request.on("end", onEnd);
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
