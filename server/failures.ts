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
  /**
   * Lets somebody try, and counts it when it rejects with what `isFailure`. While the tries of the same caller that are not
   * over yet may use the limit up, it waits for them: who is in a crowd of the honest is late, not refused. Rejects with
   * `TOO_MANY_FAILURES` when they have.
   */
  attempt<T>(
    who: string,
    run: () => Promise<T>,
    isFailure: (error: unknown) => boolean,
  ): Promise<T>;
}

/** The tries of one caller that are not over yet, and those who wait for their turn. */
interface Tries {
  open: number;
  readonly waiting: (() => void)[];
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
  const tries = new Map<string, Tries>();

  function begin(who: string): void {
    const retryDelayMs = limiter.take(who);
    if (retryDelayMs === 0) return;
    throw new DomainError(
      ErrorReason.TOO_MANY_FAILURES,
      `too many ${WRONG[what]}: more than ${perMinute} a minute`,
      { metadata: { what, limit: String(perMinute) }, retryDelayMs },
    );
  }

  /** Begins a try, after others of the same caller if need be. */
  async function beginInTurn(who: string): Promise<Tries> {
    for (;;) {
      const mine = tries.get(who) ?? { open: 0, waiting: [] };
      try {
        begin(who);
        mine.open += 1;
        tries.set(who, mine);
        return mine;
      } catch (error) {
        if (mine.open === 0) throw error;
        await new Promise<void>((resolve) => mine.waiting.push(resolve));
      }
    }
  }

  function end(who: string, mine: Tries): void {
    mine.open -= 1;
    if (mine.open > 0) return mine.waiting.shift()?.();
    // Nobody is left who would wake them.
    tries.delete(who);
    for (const go of mine.waiting) go();
  }

  return {
    begin,
    forgive: limiter.giveBack,
    async attempt(who, run, isFailure) {
      const mine = await beginInTurn(who);
      try {
        const result = await run();
        limiter.giveBack(who);
        return result;
      } catch (error) {
        if (!isFailure(error)) limiter.giveBack(who);
        throw error;
      } finally {
        end(who, mine);
      }
    },
  };
}

const WRONG = {
  passwords: "wrong passwords",
  tokens: "wrong tokens",
  requests: "broken requests",
};
