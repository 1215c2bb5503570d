import { clone, create, toBinary } from "@bufbuild/protobuf";
import {
  InputSchema,
  RecordedHashSchema,
  RecordedInputSchema,
  RecordingSchema,
} from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { Input, Recording } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { ZoneStateSchema } from "../../gen/ts/realmwire/internal/v1/state_pb.ts";
import type { ZoneState } from "../../gen/ts/realmwire/internal/v1/state_pb.ts";

/** Ticks between two hashes in a recording: hashing costs as much as many ticks. */
export const HASH_EVERY_TICKS = 50;
/** Ticks after which a recording begins anew, from a checkpoint. */
export const RECORDING_TICKS = 6_000;
/** Bytes of long inputs after which it does too: one value that a player sets may have 64 KiB. */
export const RECORDING_BYTES = 8 * 1024 * 1024;

/**
 * Keeps what came from outside since the last checkpoint but one, within bounds. With the last one alone
 * there would be next to nothing to look at just after it.
 */
export interface Recorder {
  readonly enabled: boolean;
  input(tick: number, input: Input): void;
  step(tick: number, hash: () => number): void;
  /** Whether the present part holds all that it may: the zone must be checkpointed and a new part begun. */
  full(tick: number): boolean;
  /** Begins a new part at a checkpoint, and forgets the part before the present one. */
  restart(state: ZoneState): void;
  recording(endTick: number): Recording | undefined;
}

/** A recorder that holds up to `limit` inputs; 0 records nothing. */
export function createRecorder({ limit, game }: { limit: number; game: string }): Recorder {
  let before: Recording | undefined;
  let current: Recording | undefined;
  let bytes = 0;
  return {
    enabled: limit > 0,
    input(tick, input) {
      if (!current) return;
      // Nobody changes a Move that was made, and copying it costs more than making it.
      const copy = input.kind.case === "move" ? input : clone(InputSchema, input);
      current.inputs.push(create(RecordedInputSchema, { tick, input: copy }));
      if (mayBeLong(input)) bytes += toBinary(InputSchema, input).length;
    },
    step(tick, hash) {
      if (!current || tick % HASH_EVERY_TICKS !== 0) return;
      current.hashes.push(create(RecordedHashSchema, { tick, hash: hash() }));
    },
    full(tick) {
      if (!current) return false;
      if (current.inputs.length >= limit || bytes >= RECORDING_BYTES) return true;
      return tick - (current.start?.tick ?? 0) >= RECORDING_TICKS;
    },
    restart(state) {
      before = current;
      const checkpoint = create(InputSchema, { kind: { case: "checkpoint", value: {} } });
      before?.inputs.push(create(RecordedInputSchema, { tick: state.tick, input: checkpoint }));
      current = create(RecordingSchema, { start: state, game });
      bytes = 0;
    },
    recording(endTick) {
      if (!current) return undefined;
      const { start } = before ?? current;
      if (!start) return undefined;
      return create(RecordingSchema, {
        start: clone(ZoneStateSchema, start),
        game,
        inputs: [...(before?.inputs ?? []), ...current.inputs],
        hashes: [...(before?.hashes ?? []), ...current.hashes],
        endTick,
      });
    },
  };
}

/** Whether an input is worth measuring: the others take some hundred bytes, and their number is bounded. */
function mayBeLong({ kind }: Input): boolean {
  return kind.case === "set" || kind.case === "edit" || kind.case === "join";
}
