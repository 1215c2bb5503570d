import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { Clock } from "./clock.ts";
import { toRealmwireError } from "./errors.ts";

/** How long a login waits for a server that has too many of them, in milliseconds. */
export const DEFAULT_PATIENCE_MS = 60_000;

/** Makes a call again when the server says that it was not carried out because too many came, and when to come back. */
export type Patiently = <T>(call: () => Promise<T>) => Promise<T>;

/** Waits so long in all, in milliseconds; then the server's last answer is what the call rejects with. */
export function createPatience(options: {
  readonly clock: Clock;
  readonly patienceMs: number;
}): Patiently {
  const { clock, patienceMs } = options;
  return async (call) => {
    const until = clock.now() + patienceMs;
    for (;;) {
      try {
        return await call();
      } catch (error) {
        const { reason, retryDelayMs } = toRealmwireError(error);
        if (reason !== ErrorReason.TOO_MANY_CALLS || retryDelayMs === undefined) throw error;
        if (clock.now() + retryDelayMs > until) throw error;
        await new Promise<void>((resolve) => void clock.after(retryDelayMs, resolve));
      }
    }
  };
}
