import { ErrorReason } from "../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "./errors.ts";
import { createLimiter } from "./limiter.ts";

const MINUTE_S = 60;

/** Limits how often somebody may fail. Who does not fail is not limited. */
export interface FailureLimit {
  /** Begins what may fail, and counts it as failed. Throws `TOO_MANY_FAILURES` with a retry delay. */
  begin(who: string): void;
  /** It did not fail after all. */
  forgive(who: string): void;
}

/** A limit of so many failures at once, and as many in each further minute, for everybody. `what` failed is told. */
export function createFailureLimit(options: {
  readonly what: "passwords" | "tokens" | "requests";
  readonly perMinute: number;
  /** A clock that never goes back, in milliseconds. Default: `performance.now`. */
  readonly now?: (() => number) | undefined;
}): FailureLimit {
  const { what, perMinute, now = () => performance.now() } = options;
  const limiter = createLimiter({ perSecond: perMinute / MINUTE_S, burst: perMinute, now });
  return {
    begin(who) {
      const retryDelayMs = limiter.take(who);
      if (retryDelayMs === 0) return;
      throw new DomainError(
        ErrorReason.TOO_MANY_FAILURES,
        `too many ${WRONG[what]}: more than ${perMinute} a minute`,
        { metadata: { what, limit: String(perMinute) }, retryDelayMs },
      );
    },
    forgive: limiter.giveBack,
  };
}

const WRONG = {
  passwords: "wrong passwords",
  tokens: "wrong tokens",
  requests: "broken requests",
};
