import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { ReadyStream } from "../../server/rpc/pipeline/ready-stream.ts";

/** A stream of one message that then has nothing more to say, and does not end by itself. */
export function toReadyStream<D extends DescMessage>(
  desc: D,
  message: MessageInitShape<D>,
  onClose: () => void,
): ReadyStream {
  let wake: (() => void) | undefined;
  let isSent = false;
  return {
    next() {
      if (isSent) return undefined;
      isSent = true;
      return new Uint8Array(toBinary(desc, create(desc, message)));
    },
    ended: () => false,
    wait(ready) {
      wake = ready;
    },
    close() {
      wake?.();
      onClose();
    },
  };
}
