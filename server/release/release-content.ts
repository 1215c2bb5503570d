import { createHash, hash } from "node:crypto";
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../errors.ts";

/** The most bytes of a piece of a content: what `ReleaseChunk.data` promises. */
export const CHUNK_BYTES = 64 * 1024;

const SHA256_BYTES = 32;

/** Links are not followed, and opening a pipe does not wait for somebody to write into it. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A content of a release as it was when the release was read. */
export interface ReleaseContent {
  readonly sha256: Uint8Array;
  /** In bytes. */
  readonly size: number;
  /** The file that holds it: its absolute path, and its path in the release. */
  readonly file: string;
  readonly path: string;
  /** SHA-256 of each piece of 64 KiB, one after the other, so that no piece need be sent unchecked. */
  readonly chunkDigests: Uint8Array;
}

/** A piece of a content. */
export interface ContentChunk {
  /** Where it begins in the content, in bytes. */
  readonly offset: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** The error that says why a release's folder cannot be used. */
export function releaseUnusable(cause: string, error?: unknown): DomainError {
  return new DomainError(ErrorReason.RELEASE_UNUSABLE, `the release cannot be used: ${cause}`, {
    metadata: { cause },
    cause: error,
  });
}

/**
 * Reads a file of a release in pieces and says what is in it. Rejects with `RELEASE_UNUSABLE` when it has more
 * than `maxBytes`, is no file, cannot be read or changes meanwhile.
 */
export async function digestFile(
  file: string,
  path: string,
  maxBytes: number,
): Promise<{ content: ReleaseContent; executable: boolean }> {
  await using handle = await openFile(file, path);
  const { size, mode } = await handle.stat();
  if (size > maxBytes) {
    throw releaseUnusable("it is too large");
  }
  const whole = createHash("sha256");
  const chunkDigests = new Uint8Array(Math.ceil(size / CHUNK_BYTES) * SHA256_BYTES);
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (let offset = 0; offset < size; offset += CHUNK_BYTES) {
    const piece = buffer.subarray(0, Math.min(CHUNK_BYTES, size - offset));
    if ((await readFully(handle, piece, offset)) < piece.length) {
      throw releaseUnusable(`${path} changed while it was read`);
    }
    whole.update(piece);
    chunkDigests.set(digest(piece), (offset / CHUNK_BYTES) * SHA256_BYTES);
  }
  const content = { sha256: new Uint8Array(whole.digest()), size, file, path, chunkDigests };
  // The owner's bit, as version control systems take it.
  return { content, executable: (mode & constants.S_IXUSR) !== 0 };
}

/**
 * A content from an offset to its end, in pieces of at most 64 KiB. Every piece is checked before it is handed out:
 * when the file is no longer what it was, the iteration rejects with `RELEASE_UNUSABLE`. Leaving it closes the file.
 */
export async function* readContent(
  content: ReleaseContent,
  offset: number,
): AsyncGenerator<ContentChunk, void, undefined> {
  await using handle = await openFile(content.file, content.path);
  let begin = offset;
  while (begin < content.size) {
    const index = Math.floor(begin / CHUNK_BYTES);
    const chunkStart = index * CHUNK_BYTES;
    // A new buffer for each piece: the receiver may keep it while the next one is read.
    const piece = new Uint8Array(Math.min(CHUNK_BYTES, content.size - chunkStart));
    const known = content.chunkDigests.subarray(index * SHA256_BYTES, (index + 1) * SHA256_BYTES);
    const read = await readFully(handle, piece, chunkStart);
    if (read < piece.length || Buffer.compare(digest(piece), known) !== 0) {
      throw releaseUnusable(`${content.path} changed after it was published`);
    }
    yield { offset: begin, data: piece.subarray(begin - chunkStart) };
    begin = chunkStart + piece.length;
  }
}

async function openFile(file: string, path: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(file, OPEN_FLAGS);
  } catch (error) {
    throw releaseUnusable(`${path} cannot be read`, error);
  }
  if (!(await handle.stat()).isFile()) {
    await handle.close();
    throw releaseUnusable(`${path} is not a file`);
  }
  return handle;
}

/** Fills a buffer from a place in a file; fewer bytes come back when the file ends before. */
async function readFully(
  handle: FileHandle,
  buffer: Uint8Array,
  position: number,
): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(
      buffer,
      filled,
      buffer.length - filled,
      position + filled,
    );
    if (bytesRead === 0) {
      break;
    }
    filled += bytesRead;
  }
  return filled;
}

function digest(bytes: Uint8Array): Uint8Array {
  return hash("sha256", bytes, "buffer");
}
