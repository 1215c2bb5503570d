import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** Read at once, in bytes. */
const PIECE_BYTES = 1024 * 1024;

/** How files are opened to be read: not through a link, and without waiting for a pipe. Systems without these flags ignore them. */
export const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Bytes as lowercase hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** SHA-256 of a file's content in hex. A link is not followed. `onBytes` is told of each piece that was read. */
export async function hashFile(
  file: string,
  options: { readonly onBytes?: (bytes: number) => void; readonly signal?: AbortSignal } = {},
): Promise<string> {
  await using handle = await open(file, READ_FLAGS);
  const hash = createHash("sha256");
  const buffer = new Uint8Array(PIECE_BYTES);
  for (;;) {
    options.signal?.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, buffer.length);
    if (bytesRead === 0) return hash.digest("hex");
    hash.update(buffer.subarray(0, bytesRead));
    options.onBytes?.(bytesRead);
  }
}
