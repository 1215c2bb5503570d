import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../errors.ts";

/** The error of a zone that does not run, or no longer. */
export function zoneStopped(zone: string, why: string): DomainError {
  return new DomainError(ErrorReason.ZONE_STOPPED, `zone "${zone}" does not run: ${why}`, {
    metadata: { zone },
    retryDelayMs: 1_000,
  });
}
