import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import type { Session } from "../../account/session.ts";
import { DomainError } from "../../errors.ts";
import type { Call } from "../service.ts";

/** The session of a call whose `access` asks for a login: the pipeline lets nobody in without one. */
export function requireSession(call: Call): Session {
  if (call.session) return call.session;
  throw new DomainError(ErrorReason.LOGIN_REQUIRED, "the call needs a login");
}
