import { readFile } from "node:fs/promises";
import { fromBinary } from "@bufbuild/protobuf";
import { type Recording, RecordingSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { loadGame } from "../load-game.ts";
import { replay } from "../sim/replay.ts";

/** A recording that cannot be replayed; the message says why. */
export class ReplayError extends Error {
  override readonly name = "ReplayError";
}

/** What came of a replay. */
export interface Replayed {
  readonly zone: string;
  readonly fromTick: number;
  readonly toTick: number;
  readonly inputs: number;
  /** Hashes that were compared. */
  readonly compared: number;
  /** The first tick whose hash differs from the recorded one; undefined: none does. */
  readonly divergedAt: number | undefined;
  /** The last tick before that whose hash is the same; undefined: there is none. */
  readonly lastSameAt: number | undefined;
  /** Where the simulation failed, and how; undefined: it did not. */
  readonly failure: { readonly tick: number; readonly error: unknown } | undefined;
}

/** Simulates a recording again with the game of a folder, and compares the hashes. Throws a {@link ReplayError}. `onTick` sees every tick. */
export async function replayFile(options: {
  readonly file: string;
  readonly game: string;
  readonly onTick: (tick: number, recording: Recording) => void;
}): Promise<Replayed> {
  const { file, onTick } = options;
  const recording = await readRecording(file);
  const { start, endTick } = recording;
  if (!start) throw new ReplayError(`${file} has no beginning`);
  const { world } = await loadGame(options.game);
  if (recording.game !== world.id) {
    throw new ReplayError(
      `${file} is of the game "${recording.game}", not of "${world.id}": --game names its folder`,
    );
  }
  const { types, kinds, maps } = world;
  const fromTick = start.tick;
  const about = { zone: start.zone, fromTick, inputs: recording.inputs.length };
  let tick = fromTick;
  try {
    const result = replay(recording, { types, kinds, zones: [...maps.keys()] }, (zone) => {
      tick = zone.tick;
      onTick(tick, recording);
    });
    const { compared, divergedAt } = result;
    const lastSameAt = recording.hashes.findLast(
      (hash) => divergedAt === undefined || hash.tick < divergedAt,
    )?.tick;
    return { ...about, toTick: endTick, compared, divergedAt, lastSameAt, failure: undefined };
  } catch (error) {
    const failure = { tick, error };
    return {
      ...about,
      toTick: tick,
      compared: 0,
      divergedAt: undefined,
      lastSameAt: undefined,
      failure,
    };
  }
}

async function readRecording(file: string): Promise<Recording> {
  const bytes = await readFile(file);
  try {
    return fromBinary(RecordingSchema, bytes);
  } catch (error) {
    throw new ReplayError(`${file} is no recording: ${(error as Error).message}`);
  }
}
