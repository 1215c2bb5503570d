import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { RecordZoneResponse } from "../../../gen/ts/realmwire/v1/admin_service_pb.ts";
import { type Replayed, replayFile } from "../../../server/offline/replay-file.ts";
import { ToolError } from "../errors.ts";
import { addGame } from "../places.ts";
import { describeBytes, startProgress } from "../progress.ts";
import { asAdmin } from "../session.ts";
import type { AddAction, Tool } from "../tool.ts";

/** Bytes of a recording at most: two parts of 8 MiB of inputs, and the zone. */
const MAX_RECORDING_BYTES = 256 * 1024 * 1024;

/** Adds recordings of zones, and what simulates them again. */
export function addRecordings(program: Command, add: AddAction): void {
  add(
    program
      .command("record <zone> <file>")
      .description("write what led to a running zone's present state to a file: its last minutes")
      .addHelpText("after", "\nIt holds what players did and said. replay simulates it again."),
    record,
  );
  add(
    addGame(
      program
        .command("replay <file>")
        .description("simulate a recording again, and compare the hashes of its states"),
    ).addHelpText(
      "after",
      `
Recordings are written by record, and by a server whose zone failed, to recordings/ in its data folder. The game must be the
one of then. A hash is recorded every 50 ticks, so a difference began after the last tick that is the same.
It ends with 1 when a hash differs, when the zone fails, and when there was no hash to compare.`,
    ),
    replayRecording,
  );
}

async function record(tool: Tool, [zone = "", path = ""]: string[]): Promise<void> {
  const file = resolve(path);
  const recording = await asAdmin(tool, tool.settings, ({ admin }) =>
    collect(admin.recordZone({ zone })),
  );
  await writeFile(file, recording, { flag: "wx", mode: 0o600 });
  tool.print([`${file}: zone ${zone}, ${describeBytes(recording.length)}`], {
    ...{ file, zone, bytes: recording.length },
  });
}

async function collect(pieces: AsyncIterable<RecordZoneResponse>): Promise<Uint8Array> {
  const hash = createHash("sha256");
  const parts: Uint8Array[] = [];
  let bytes = 0;
  let last: RecordZoneResponse | undefined;
  for await (const piece of pieces) {
    bytes += piece.data.length;
    if (bytes > MAX_RECORDING_BYTES) throw new ToolError("the recording is too large");
    hash.update(piece.data);
    parts.push(piece.data);
    last = piece;
  }
  if (last?.size !== BigInt(bytes) || Buffer.compare(hash.digest(), last.sha256) !== 0) {
    throw new ToolError("the recording did not arrive whole");
  }
  return Buffer.concat(parts);
}

async function replayRecording(
  tool: Tool,
  [path = ""]: string[],
  { game }: { readonly game: string },
): Promise<void> {
  const progress = startProgress(tool);
  const replayed = await replayFile({
    file: resolve(path),
    game: resolve(game),
    onTick: (tick, { endTick }) => progress.set(`tick ${tick} of ${endTick}`),
  }).finally(progress.end);
  const { failure, ...rest } = replayed;
  tool.print(describeReplay(replayed), {
    ...rest,
    ...(failure && { failure: { tick: failure.tick, message: String(failure.error) } }),
  });
  const problem = problemOf(replayed);
  if (problem !== undefined) throw new ToolError(problem);
}

function describeReplay({ zone, fromTick, toTick, inputs, compared }: Replayed): string[] {
  const ticks = `ticks ${fromTick} to ${toTick}, ${inputs} inputs`;
  return [`zone ${zone}: ${ticks}, ${compared} hashes compared`];
}

function problemOf({ failure, divergedAt, lastSameAt, compared }: Replayed): string | undefined {
  if (failure) {
    const { tick, error } = failure;
    return `the zone failed after tick ${tick}: ${error instanceof Error ? error.stack : String(error)}`;
  }
  if (divergedAt !== undefined) {
    const since =
      lastSameAt === undefined
        ? "no tick before it is the same"
        : `tick ${lastSameAt} is the last that is the same`;
    return `tick ${divergedAt} is the first that differs; ${since}`;
  }
  return compared === 0 ? "nothing was compared: a hash is recorded every 50 ticks" : undefined;
}
