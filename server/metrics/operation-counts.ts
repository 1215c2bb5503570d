import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { hasReason } from "../errors.ts";
import { CALL_BUCKETS, createDurations } from "./durations.ts";
import type { DurationCounts, Durations } from "./durations.ts";
import type { StoreWatch } from "./watched-store.ts";

/** What was measured of one operation of the store. */
export interface OperationCounts {
  readonly operation: string;
  readonly durations: DurationCounts;
  /** How often the database did not answer. What it refuses, such as a name that is taken, is an answer. */
  readonly unavailable: number;
}

/** Measures the operations of a store. */
export interface OperationMeter {
  readonly watch: StoreWatch;
  read(): OperationCounts[];
}

interface Measured {
  readonly durations: Durations;
  unavailable: number;
}

/** Nothing measured yet. `now` is a clock that only goes forward, in milliseconds. */
export function createOperationMeter(now: () => number): OperationMeter {
  const measured = new Map<string, Measured>();

  function of(operation: string): Measured {
    let found = measured.get(operation);
    if (!found) {
      found = { durations: createDurations(1, CALL_BUCKETS), unavailable: 0 };
      measured.set(operation, found);
    }
    return found;
  }

  return {
    async watch(operation, run) {
      const began = now();
      try {
        return await run();
      } catch (error) {
        if (hasReason(error, ErrorReason.STORE_UNAVAILABLE)) of(operation).unavailable++;
        throw error;
      } finally {
        of(operation).durations.note(0, (now() - began) / 1000);
      }
    },
    read: () =>
      [...measured].map(([operation, { durations, unavailable }]) => ({
        operation,
        durations: durations.read(0),
        unavailable,
      })),
  };
}
