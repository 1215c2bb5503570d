import type { DescMethod, Message } from "@bufbuild/protobuf";
import { passOverRest } from "./connect-adapter.ts";
import type { PortRequest, PortResponse } from "./plain-answer.ts";
import type { ShortCall } from "./short-call.ts";
import { createEnvelopeReader } from "./short-envelopes.ts";
import type { WireProtocol } from "./short-form.ts";
import { readUnusual } from "./short-unusual.ts";
import type { SinkCall, SinkOutlet } from "../pipeline/sink-call.ts";

/** What a client stream is read from, and who answers it. */
export interface SinkSource {
  readonly method: DescMethod;
  readonly protocol: WireProtocol;
  readonly request: PortRequest;
  readonly response: PortResponse;
  readonly call: ShortCall;
  /** The largest message, in bytes. */
  readonly maxBytes: number;
  /** Makes a message of its bytes; undefined when that fails. */
  readonly parse: (bytes: Uint8Array) => Message | undefined;
  readonly open: (outlet: SinkOutlet) => Promise<SinkCall | undefined>;
  /** Writes the answer. */
  readonly outlet: SinkOutlet;
}

/**
 * Reads a client stream as fast as its call takes it; while that holds it back, the connection's flow control holds the client back. From
 * the first message on that is not plain, the rest is read by connect's own means, so that the errors are the same.
 */
export function readSink(source: SinkSource): void {
  const { request, response, call, outlet } = source;
  const reader = createEnvelopeReader(source.maxBytes);
  let sink: SinkCall | undefined;
  let isHeldBack = false;
  let hasEnded = false;
  let isOver = false;

  function stopReading(): void {
    request.off("data", onData);
    request.off("end", onEnd);
  }
  function close(): void {
    isOver = true;
    stopReading();
    request.pause();
    passOverRest(request, response, source.protocol === "grpc");
    if (sink) call.signal.removeEventListener("abort", onAbort);
    call.end();
  }
  function onAbort(): void {
    sink?.fail(call.signal.reason);
  }
  function onData(chunk: Uint8Array): void {
    reader.push(chunk);
    readOn();
  }
  function onEnd(): void {
    hasEnded = true;
    readOn();
  }

  /** Gives what is there to the call, until that holds it back. */
  function readOn(): void {
    while (sink && !isOver && !isHeldBack) {
      const next = reader.peek();
      if (next.kind === "more" && !hasEnded) return;
      if (next.kind === "more" && reader.isEmpty) {
        sink.finish();
        return;
      }
      const message = next.kind === "message" ? source.parse(next.data) : undefined;
      if (message === undefined) {
        stopReading();
        request.pause();
        void readUnusual(sink, source, reader.rest(), hasEnded);
        return;
      }
      reader.skip();
      const waiting = sink.take(message);
      if (waiting) holdBack(waiting);
    }
  }
  function holdBack(waiting: Promise<void>): void {
    isHeldBack = true;
    request.pause();
    void waiting.then(() => {
      isHeldBack = false;
      if (isOver) return;
      request.resume();
      readOn();
    });
  }

  const told: SinkOutlet = {
    onAnswer(answer) {
      close();
      outlet.onAnswer(answer);
    },
    onFailure(error) {
      close();
      outlet.onFailure(error);
    },
  };
  void source.open(told).then((opened) => {
    if (opened === undefined) return;
    sink = opened;
    const { signal } = call;
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    request.on("data", onData);
    request.on("end", onEnd);
  });
}
