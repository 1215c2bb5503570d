import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { limitKeyOf } from "../addresses.ts";
import { hasReason } from "../errors.ts";
import { createFailureLimit } from "../failures.ts";
import { nameKey } from "../store/store.ts";

/** Wrong passwords a minute for one account, and as many at once. */
export const WRONG_PASSWORDS_PER_MINUTE = 20;
/** How many times as many one address may send, whatever the accounts: many people may stand behind it. */
export const ADDRESS_FACTOR = 10;

/** Limits wrong passwords. */
export interface LoginThrottle {
  /**
   * Checks a password for an account from an address. It counts against both when it rejects with `CREDENTIALS_WRONG`, and against none
   * otherwise. Rejects with `TOO_MANY_FAILURES` without a check when either had too many, whether there is such an account or not.
   */
  attempt<T>(name: string, peer: string, check: () => Promise<T>): Promise<T>;
}

/** Nobody has failed yet. */
export function createLoginThrottle(
  options: {
    /** For one account. Default: {@link WRONG_PASSWORDS_PER_MINUTE}. */
    readonly perMinute?: number | undefined;
    readonly now?: () => number;
  } = {},
): LoginThrottle {
  const { perMinute = WRONG_PASSWORDS_PER_MINUTE, now } = options;
  const ofAddress = createFailureLimit({
    ...{ what: "passwords", perMinute: perMinute * ADDRESS_FACTOR, now },
  });
  const ofAccount = createFailureLimit({ what: "passwords", perMinute, now });
  return {
    async attempt(name, peer, check) {
      const account = nameKey(name);
      const address = limitKeyOf(peer);
      // Counted before, so that many at once do not all slip through.
      ofAddress.begin(address);
      try {
        ofAccount.begin(account);
      } catch (error) {
        ofAddress.forgive(address);
        throw error;
      }
      try {
        const result = await check();
        forgive();
        return result;
      } catch (error) {
        if (!hasReason(error, ErrorReason.CREDENTIALS_WRONG)) forgive();
        throw error;
      }

      function forgive(): void {
        ofAccount.forgive(account);
        ofAddress.forgive(address);
      }
    },
  };
}
