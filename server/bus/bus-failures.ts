import { BusFailure, BusVerb } from "../../gen/ts/realmwire/internal/v1/bus_pb.ts";
import type { BusLetter } from "../../gen/ts/realmwire/internal/v1/bus_pb.ts";
import { BusError } from "./bus.ts";
import type { BusErrorKind } from "./bus.ts";

const FAILURES: Readonly<Record<BusErrorKind, BusFailure>> = {
  "no-responder": BusFailure.NO_RESPONDER,
  timeout: BusFailure.TIMEOUT,
  failed: BusFailure.FAILED,
  closed: BusFailure.CLOSED,
};

/** The letter that tells of an error. */
export function failureLetter(id: number, error: unknown) {
  const kind = error instanceof BusError ? error.kind : "failed";
  const reason = error instanceof Error ? error.message : String(error);
  return { verb: BusVerb.FAIL, id, failure: FAILURES[kind], reason };
}

/** The error that a letter tells of. */
export function errorOf({ failure, reason }: BusLetter): BusError {
  const kinds = Object.keys(FAILURES) as BusErrorKind[];
  return new BusError(kinds.find((kind) => FAILURES[kind] === failure) ?? "failed", reason);
}
