import { clone, create } from "@bufbuild/protobuf";
import {
  InputSchema,
  RecordedHashSchema,
  RecordingSchema,
} from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type {
  Input,
  RecordedHash,
  Recording,
} from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { ZoneStateSchema } from "../../gen/ts/realmwire/internal/v1/state_pb.ts";
import { createInputLog } from "./input-log.ts";
import type { InputLog } from "./input-log.ts";
import type { ZoneState } from "../../gen/ts/realmwire/internal/v1/state_pb.ts";
import type { TakenHash } from "./rolling-hash.ts";

/** Ticks after which a recording begins anew, from a checkpoint. */
export const RECORDING_TICKS = 6_000;
/** Bytes of inputs after which it does too: one value that a player sets may have 64 KiB. */
export const RECORDING_BYTES = 8 * 1024 * 1024;

/** A state from which a zone can go on. */
export interface Checkpoint {
  readonly tick: number;
  /** Makes the state, which is the same however late. */
  readonly state: () => ZoneState;
}

/**
 * Keeps what came from outside since the last checkpoint but one, within bounds. With the last one alone
 * there would be next to nothing to look at just after it.
 */
export interface Recorder {
  readonly enabled: boolean;
  input(tick: number, input: Input): void;
  /** A tick has passed; `taken` is the last hash that is whole. */
  step(tick: number, taken: TakenHash | undefined): void;
  /** Whether the present part holds all that it may: the zone must be checkpointed and a new part begun. */
  full(tick: number): boolean;
  /** Begins a new part at a checkpoint, and forgets the part before the present one. */
  restart(checkpoint: Checkpoint): void;
  recording(endTick: number): Recording | undefined;
}

/** What was recorded from one checkpoint to the next. */
interface Part {
  readonly start: Checkpoint;
  readonly inputs: InputLog;
  readonly hashes: RecordedHash[];
  bytes: number;
}

/** A recorder that holds up to `limit` inputs; 0 records nothing. */
export function createRecorder({ limit, game }: { limit: number; game: string }): Recorder {
  let before: Part | undefined;
  let current: Part | undefined;
  return {
    enabled: limit > 0,
    input(tick, input) {
      if (current) current.bytes += current.inputs.add(tick, input);
    },
    step(tick, taken) {
      if (current && taken?.tick === tick) {
        current.hashes.push(create(RecordedHashSchema, taken));
      }
    },
    full(tick) {
      if (!current) return false;
      if (current.inputs.count >= limit || current.bytes >= RECORDING_BYTES) return true;
      return tick - current.start.tick >= RECORDING_TICKS;
    },
    restart(start) {
      before = current;
      const checkpoint = create(InputSchema, { kind: { case: "checkpoint", value: {} } });
      before?.inputs.add(start.tick, checkpoint);
      current = { start, inputs: createInputLog(), hashes: [], bytes: 0 };
    },
    recording(endTick) {
      if (!current) return undefined;
      const parts = before ? [before, current] : [current];
      return create(RecordingSchema, {
        start: clone(ZoneStateSchema, (before ?? current).start.state()),
        game,
        inputs: parts.flatMap(({ inputs }) => inputs.read()),
        hashes: parts.flatMap(({ hashes }) => hashes),
        endTick,
      });
    },
  };
}
