import { ErrorReasonSchema } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import { requireSession } from "../pipeline/require-session.ts";
import type { Call } from "../service.ts";

/** Puts what admins do into the log: who, from where, what, to whom, and what came of it. */
export interface Audit {
  /** Carries out what an admin asked for. `about` says to whom and how. */
  <T>(call: Call, action: string, about: object, work: () => T | Promise<T>): Promise<T>;
}

/** Creates the log of what admins do. Each line has `audit`, the name of the call. */
export function createAudit(logger: Logger): Audit {
  return async (call, action, about, work) => {
    const line = {
      audit: action,
      admin: requireSession(call).accountName,
      peer: call.peer,
      ...about,
    };
    try {
      const result = await work();
      logger.info(line, "an admin's call");
      return result;
    } catch (error) {
      logger.info({ ...line, refused: describe(error) }, "an admin's call was refused");
      throw error;
    }
  };
}

function describe(error: unknown): string {
  if (!(error instanceof DomainError)) return String(error);
  return `${ErrorReasonSchema.value[error.reason]?.name}: ${error.message}`;
}
