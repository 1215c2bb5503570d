import { createHash } from "node:crypto";
import { type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { RecordingSchema } from "../../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { RecordZoneResponseSchema } from "../../../gen/ts/realmwire/v1/admin_service_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../../errors.ts";
import type { ZoneHost } from "../../zone/zone-host.ts";

/** Bytes of a piece of a recording at most. */
const PIECE_BYTES = 256 * 1024;

/** What led to the present state of a zone, serialized. Rejects with `ZONE_UNKNOWN` and `ZONE_NOT_RUNNING`. */
export async function recordZone(
  zones: Pick<ZoneHost, "names" | "recording">,
  zone: string,
): Promise<Uint8Array> {
  const metadata = { zone };
  if (!zones.names.includes(zone)) {
    throw new DomainError(ErrorReason.ZONE_UNKNOWN, `there is no zone "${zone}"`, { metadata });
  }
  const recording = await zones.recording(zone);
  if (!recording) {
    const message = `zone "${zone}" does not run: it starts with the first who enters it`;
    throw new DomainError(ErrorReason.ZONE_NOT_RUNNING, message, { metadata });
  }
  return toBinary(RecordingSchema, recording);
}

/** The messages that carry a recording. */
export function* piecesOf(
  recording: Uint8Array,
): Generator<MessageInitShape<typeof RecordZoneResponseSchema>, void, undefined> {
  const size = BigInt(recording.length);
  const sha256 = createHash("sha256").update(recording).digest();
  for (let at = 0; at < recording.length; at += PIECE_BYTES) {
    yield { size, sha256, data: recording.subarray(at, at + PIECE_BYTES) };
  }
}
