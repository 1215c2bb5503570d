import type { Message } from "@bufbuild/protobuf";
import type { SinkCall, SinkOutlet } from "./sink-call.ts";

/**
 * Feeds messages into a client stream and answers what comes of it, for transports that have an iterable of them. It does
 * not wait for a message when the call ends from the inside, or because its signal aborts.
 */
export function feedSink(
  open: (outlet: SinkOutlet) => Promise<SinkCall | undefined>,
  messages: AsyncIterable<Message>,
  signal: AbortSignal,
): Promise<Message> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const outlet: SinkOutlet = {
      onAnswer(answer) {
        isOver = true;
        resolve(answer);
      },
      onFailure(error) {
        isOver = true;
        reject(error);
      },
    };

    async function feed(): Promise<void> {
      const call = await open(outlet);
      if (call === undefined) return;
      const onAbort = () => call.fail(signal.reason);
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
      try {
        for await (const message of messages) {
          if (isOver) return;
          await call.take(message);
        }
        call.finish();
      } catch (error) {
        call.fail(error);
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    }
    feed().catch(reject);
  });
}
