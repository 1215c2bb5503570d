import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BackupResponse } from "../../gen/ts/realmwire/v1/admin_service_pb.ts";
import { readBackup, writeBackup } from "./backup-file.ts";
import { PIECE_BYTES, streamBackup } from "./backup-stream.ts";

const ABOUT = { server: "1.2.3", game: "meadow", takenAtMs: 1_790_000_000_123 };
/** More than two pieces, which no compression makes smaller. */
const LARGE = randomBytes(2 * PIECE_BYTES + 1_000);

let folder: string;
let whole: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "backup-"));
  await mkdir(join(folder, "source/empty"), { recursive: true });
  await writeFile(join(folder, "source/large"), LARGE);
  await writeFile(join(folder, "source/none"), "");
  await writeBackup(join(folder, "whole"), messages());
  whole = await readFile(join(folder, "whole"));
});
afterAll(() => rm(folder, { recursive: true }));

function messages(): AsyncGenerator<BackupResponse> {
  const source = join(folder, "source");
  const snapshot = { folder: source, database: "18", migrations: ["0001-initial"], pausedMs: 1.2 };
  return streamBackup({ ...snapshot, dispose: async () => {} }, ABOUT);
}

async function partsOf(bytes: Uint8Array): Promise<BackupResponse["part"][]> {
  const path = join(folder, "tampered");
  await writeFile(path, bytes);
  const parts = [];
  for await (const part of readBackup(path)) parts.push(part);
  return parts;
}

test("a file holds what the stream brought: header, folders, files, pieces", async () => {
  const parts = await partsOf(whole);
  expect(parts.map((part) => part.case)).toEqual([
    ...["header", "entry", "entry", "piece", "piece", "piece", "entry"],
  ]);
  expect(parts[0]?.value).toMatchObject({
    ...{ format: 1, server: "1.2.3", game: "meadow", database: "18", pausedMs: 2 },
    ...{ migrations: ["0001-initial"], bytes: BigInt(LARGE.length) },
  });
  expect(parts.slice(1).map(({ value }) => (value && "path" in value ? value.path : ""))).toEqual([
    ...["empty", "large", "", "", "", "none"],
  ]);
});

test("a file that ends early is refused wherever it ends", async () => {
  const cuts = [0, 1, 5, 100, whole.length >> 1, whole.length - 40, whole.length - 1];
  for (const length of cuts) {
    await expect(partsOf(whole.subarray(0, length)), `${length}`).rejects.toThrow(
      /not whole|damaged/,
    );
  }
});

test("a file in which anything changed is refused", async () => {
  for (let at = 0; at < whole.length; at += Math.ceil(whole.length / 50)) {
    const tampered = Buffer.from(whole);
    tampered.writeUInt8((tampered.readUInt8(at) + 1) % 256, at);
    await expect(partsOf(tampered), `byte ${at}`).rejects.toThrow(/not whole|damaged/);
  }
  await expect(partsOf(Buffer.concat([whole, whole]))).rejects.toThrow("behind the end");
  await expect(partsOf(randomBytes(10_000))).rejects.toThrow(/not whole|damaged/);
  // A length of a terabyte is not waited for.
  await expect(partsOf(Buffer.from([0x80, 0x80, 0x80, 0x80, 0x7f]))).rejects.toThrow();
});

test("a stream that ends early, or was changed, leaves no file", async () => {
  const before = await readdir(folder);
  async function* cut() {
    for await (const message of messages()) {
      if (message.part.case === "end") return;
      yield message;
    }
  }
  async function* changed() {
    for await (const message of messages()) {
      if (message.part.case === "entry") message.part.value.size += 1n;
      yield message;
    }
  }
  await expect(writeBackup(join(folder, "new"), cut())).rejects.toThrow("not whole");
  await expect(writeBackup(join(folder, "new"), changed())).rejects.toThrow("damaged");
  expect(await readdir(folder)).toEqual(before);
});

test("progress is told up to all of it", async () => {
  const told: bigint[][] = [];
  await writeBackup(join(folder, "again"), messages(), (...counts) => told.push(counts));
  expect(told.at(-1)).toEqual([BigInt(LARGE.length), BigInt(LARGE.length)]);
});
