import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { fromBinary } from "@bufbuild/protobuf";
import { sizeDelimitedEncode, sizeDelimitedPeek } from "@bufbuild/protobuf/wire";
import {
  type BackupHeader,
  type BackupResponse,
  BackupResponseSchema,
} from "../../gen/ts/realmwire/v1/admin_service_pb.ts";

/** Bytes of a message in a file at most: a piece that did not get smaller, and what stands around it. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;

/** A backup that cannot be used; the message says why. */
export class BackupError extends Error {
  override readonly name = "BackupError";
}

/** A backup that was written. */
export interface WrittenBackup {
  readonly header: BackupHeader;
  /** Bytes of the file. */
  readonly bytes: number;
}

/**
 * Writes a backup's messages to a file, which appears when it is whole. Throws a {@link BackupError} when the messages end early or their
 * hash is wrong. `onBytes` is told how much of the contents came, as far as the entries tell.
 */
export async function writeBackup(
  path: string,
  messages: AsyncIterable<BackupResponse>,
  onBytes: (done: bigint, of: bigint) => void = () => {},
): Promise<WrittenBackup> {
  const draft = `${path}.part`;
  const hash = createHash("sha256");
  let header: BackupHeader | undefined;
  let isWhole = false;
  let bytes = 0;
  let begun = 0n;
  try {
    await using file = await open(draft, "wx", 0o600);
    for await (const message of messages) {
      const { part } = message;
      if (part.case === "header") header = part.value;
      if (part.case === "entry") onBytes((begun += part.value.size), header?.bytes ?? 0n);
      if (part.case === "end") {
        checkHash(hash.digest(), part.value.sha256);
        isWhole = true;
      }
      const encoded = sizeDelimitedEncode(BackupResponseSchema, message);
      if (!isWhole) hash.update(encoded);
      await file.write(encoded);
      bytes += encoded.length;
    }
    await file.sync();
    if (!header || !isWhole) throw cutShort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") await rm(draft, { force: true });
    throw error;
  }
  await rename(draft, path);
  return { header, bytes };
}

/** The messages of a backup's file without its end, which is checked. Throws a {@link BackupError} at the latest at the end of a file that is not whole. */
export async function* readBackup(
  path: string,
): AsyncGenerator<BackupResponse["part"], void, undefined> {
  const hash = createHash("sha256");
  let isWhole = false;
  for await (const encoded of readEncoded(path)) {
    if (isWhole) throw new BackupError("there is something behind the end of the backup");
    const { part } = decode(encoded);
    if (part.case === "end") {
      checkHash(hash.digest(), part.value.sha256);
      isWhole = true;
      continue;
    }
    hash.update(encoded);
    yield part;
  }
  if (!isWhole) throw cutShort();
}

/** Serialized messages with their lengths before them. */
async function* readEncoded(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const end = peek(rest)?.end ?? Infinity;
      if (rest.length < end) break;
      yield rest.subarray(0, end);
      rest = rest.subarray(end);
    }
  }
  if (rest.length > 0) throw cutShort();
}

/** Where the next message begins and ends; undefined: its length is not there yet. */
function peek(bytes: Uint8Array): { readonly begin: number; readonly end: number } | undefined {
  const found = readLength(bytes);
  if (found.eof) return undefined;
  if (found.size > MAX_MESSAGE_BYTES) throw damaged();
  return { begin: found.offset, end: found.offset + found.size };
}

function readLength(bytes: Uint8Array): ReturnType<typeof sizeDelimitedPeek> {
  try {
    return sizeDelimitedPeek(bytes);
  } catch (error) {
    throw damaged(error);
  }
}

function decode(encoded: Uint8Array): BackupResponse {
  try {
    return fromBinary(BackupResponseSchema, encoded.subarray(peek(encoded)?.begin));
  } catch (error) {
    throw damaged(error);
  }
}

function checkHash(actual: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(actual, expected) !== 0) throw damaged();
}

function cutShort(): BackupError {
  return new BackupError("the backup is not whole: it ends too early");
}

function damaged(cause?: unknown): BackupError {
  const message = "the file is damaged, or no backup: what it holds does not fit its hash";
  return new BackupError(message, cause === undefined ? undefined : { cause });
}
