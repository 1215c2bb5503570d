import type { Code } from "@connectrpc/connect";
import type { CallContext } from "./admission.ts";

/** Is told of every call that reaches the pipeline. It stands on the hot path: it must not wait, throw or allocate. */
export interface CallObserver {
  /** A call has come. `name` is its full name, such as `realmwire.v1.WorldService/Move`. */
  onBegin(name: string): void;
  /** It has ended, well if `code` is undefined, so many milliseconds after it came. */
  onEnd(name: string, code: Code | undefined, durationMs: number, context: CallContext): void;
}
