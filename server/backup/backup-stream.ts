import { createHash } from "node:crypto";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { deflateRaw } from "node:zlib";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { sizeDelimitedEncode } from "@bufbuild/protobuf/wire";
import {
  type BackupEntry,
  BackupEntrySchema,
  type BackupResponse,
  BackupResponseSchema,
} from "../../gen/ts/realmwire/v1/admin_service_pb.ts";
import type { Snapshot } from "../store/store.ts";

/** The form of the messages. */
export const BACKUP_FORMAT = 1;
/** Bytes of a piece before it is compressed, at most. */
export const PIECE_BYTES = 256 * 1024;
/** The fastest one: most of a database's files are zeros and text. */
const COMPRESSION = { level: 1 };

const deflate = promisify(deflateRaw);

/** What a backup says of itself. */
export interface BackupAbout {
  /** The server's release. */
  readonly server: string;
  /** The game's name. */
  readonly game: string;
  /** Milliseconds since 1970-01-01. */
  readonly takenAtMs: number;
}

/** The messages of a backup of a snapshot, which is read piece by piece as they are taken. */
export async function* streamBackup(
  snapshot: Snapshot,
  about: BackupAbout,
): AsyncGenerator<BackupResponse, void, undefined> {
  const hash = createHash("sha256");
  const hashed = (part: MessageInitShape<typeof BackupResponseSchema>["part"]): BackupResponse => {
    const message = create(BackupResponseSchema, { ...(part && { part }) });
    hash.update(sizeDelimitedEncode(BackupResponseSchema, message));
    return message;
  };
  const entries = await listEntries(snapshot.folder);
  const bytes = entries.reduce((sum, { size }) => sum + size, 0n);
  const { migrations, database, pausedMs } = snapshot;
  const { server, game, takenAtMs } = about;
  yield hashed({
    case: "header",
    value: {
      ...{ format: BACKUP_FORMAT, server, game, database, bytes },
      takenAt: timestampFromMs(takenAtMs),
      migrations: [...migrations],
      pausedMs: Math.ceil(pausedMs),
    },
  });
  for (const entry of entries) {
    yield hashed({ case: "entry", value: entry });
    if (entry.folder) continue;
    for await (const piece of readPieces(join(snapshot.folder, entry.path))) {
      yield hashed({ case: "piece", value: { deflated: await deflate(piece, COMPRESSION) } });
    }
  }
  const end = { case: "end", value: { sha256: hash.digest() } } as const;
  yield create(BackupResponseSchema, { part: end });
}

/** Everything in a folder, folders before what is in them. */
async function listEntries(folder: string): Promise<BackupEntry[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const entries = await Promise.all(
    found.map(async (item) => {
      const full = join(item.parentPath, item.name);
      const path = full.slice(folder.length + 1).replaceAll("\\", "/");
      if (item.isDirectory()) return create(BackupEntrySchema, { path, folder: true });
      return create(BackupEntrySchema, { path, size: BigInt((await stat(full)).size) });
    }),
  );
  return entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

async function* readPieces(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  await using file = await open(path);
  const buffer = Buffer.alloc(PIECE_BYTES);
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}
