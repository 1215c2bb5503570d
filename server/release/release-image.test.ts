import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../errors.ts";
import { CHUNK_BYTES, readContent, type ReleaseContent } from "./release-content.ts";
import { readReleaseImage } from "./release-image.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "release-image-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function write(path: string, content: string | Uint8Array): Promise<void> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

/** The cause with which a folder is refused. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DomainError);
  const { reason, details } = error as DomainError;
  expect(reason).toBe(ErrorReason.RELEASE_UNUSABLE);
  return details.metadata?.["cause"] ?? "";
}

async function only(): Promise<ReleaseContent> {
  const [content] = (await readReleaseImage(folder)).contents.values();
  if (content === undefined) {
    throw new Error("the image has no content");
  }
  return content;
}

async function readAll(content: ReleaseContent, offset = 0): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let next = offset;
  for await (const chunk of readContent(content, offset)) {
    expect(chunk.offset).toBe(next);
    expect(chunk.data.length).toBeLessThanOrEqual(CHUNK_BYTES);
    next += chunk.data.length;
    pieces.push(chunk.data);
  }
  return Buffer.concat(pieces);
}

/** Bytes that differ from piece to piece. */
function pattern(size: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i ^ (i >> 8) ^ (i >> 16)) & 255));
}

describe("the image of a release", () => {
  test("[PY-2] lists all files with size, hash and executable bit", async () => {
    await write("run.sh", "#!/bin/sh\n");
    await chmod(join(folder, "run.sh"), 0o755);
    await write("assets/ä/picture.bin", pattern(200_000));
    await write("assets/empty", "");
    await write("copy.bin", pattern(200_000));
    const image = await readReleaseImage(folder);
    const sha256 = (content: string | Uint8Array) =>
      new Uint8Array(createHash("sha256").update(content).digest());
    expect(image.files.map(({ path, size, executable }) => [path, size, executable])).toEqual([
      ["assets/empty", 0n, false],
      ["assets/ä/picture.bin", 200_000n, false],
      ["copy.bin", 200_000n, false],
      ["run.sh", 10n, true],
    ]);
    expect(image.files.map((file) => file.sha256)).toEqual(
      ["", pattern(200_000), pattern(200_000), "#!/bin/sh\n"].map(sha256),
    );
    expect(image.contents.size).toBe(3);
    expect(image.bytes).toBe(400_010);
  });

  test("is the same for the same files, and another for others", async () => {
    await write("b", "one");
    await write("a/c", "two");
    const before = await readReleaseImage(folder);
    expect((await readReleaseImage(folder)).sha256).toEqual(before.sha256);
    await chmod(join(folder, "b"), 0o755);
    expect((await readReleaseImage(folder)).sha256).not.toEqual(before.sha256);
  });

  test("sorts by the bytes of the paths", async () => {
    // In UTF-16 the astral letter would come before the other.
    const paths = ["a/b", "\u{1d400}", "\uff21", "B", "a-b"];
    for (const path of paths) {
      await write(path, path);
    }
    const image = await readReleaseImage(folder);
    expect(image.files.map((file) => file.path)).toEqual([
      "B",
      "a-b",
      "a/b",
      "\uff21",
      "\u{1d400}",
    ]);
  });

  test.each([
    ["an empty folder", () => mkdir(join(folder, "empty")), {}, "it has no files"],
    [
      "a symbolic link to a file",
      () => symlink("/etc/hostname", join(folder, "link")),
      {},
      "link is a symbolic link",
    ],
    [
      "a symbolic link to a folder",
      () => symlink("/etc", join(folder, "link")),
      {},
      "link is a symbolic link",
    ],
    [
      "a pipe",
      () => execFileSync("mkfifo", [join(folder, "pipe")]),
      {},
      "pipe is neither a file nor a folder",
    ],
    ["a backslash", () => write("a/..\\b", "x"), {}, "has a backslash, a control character"],
    ["a device", () => write("a/NUL.txt", "x"), {}, "is the name of a device on Windows"],
    ["a drive", () => write("a/c:", "x"), {}, "or one of :"],
    ["a dot at the end", () => write("a./b", "x"), {}, "ends with a dot or a space"],
    ["the updater's file", () => write(".realmwire-release.json", "x"), {}, "is the updater's own"],
    [
      "one name in two spellings",
      async () => {
        await write("Docs/a", "x");
        await write("docs/b", "x");
      },
      {},
      "are the same place on some system",
    ],
    ["a control character", () => write("a\nb", "x"), {}, "has a backslash, a control character"],
    [
      "a name that is not UTF-8",
      () => writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x61, 0xff])]), "x"),
      {},
      "is not UTF-8",
    ],
    [
      "a long path",
      () => write(`${"d".repeat(200)}/${"f".repeat(60)}`, "x"),
      {},
      "longer than 255",
    ],
    [
      "too many files",
      async () => {
        await write("a", "1");
        await write("b/c", "2");
        await write("d", "3");
      },
      { maxFiles: 2 },
      "more than 2 files",
    ],
    [
      "too many bytes",
      async () => {
        await write("a", "12345");
        await write("b", "12345");
      },
      { maxBytes: 9 },
      "too large",
    ],
    [
      "more than 1 GiB",
      () => write("a", "x").then(() => truncate(join(folder, "a"), 1024 ** 3 + 1)),
      {},
      "too large",
    ],
  ])("refuses %s", async (_, prepare, bounds, cause) => {
    await prepare();
    expect(await refusal(readReleaseImage(folder, bounds))).toContain(cause);
  });

  test("holds as much as the bounds allow", async () => {
    await write("a", "12345");
    await write("b", "1234");
    const image = await readReleaseImage(folder, { maxFiles: 2, maxBytes: 9 });
    expect(image.bytes).toBe(9);
  });
});

describe("a content", () => {
  const sizes = [1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 17];

  test.each(sizes)("of %i bytes comes back byte for byte, from any place", async (size) => {
    await write("file", pattern(size));
    const content = await only();
    for (const offset of [0, 1, size >> 1, size - 1, size]) {
      const rest = await readAll(content, offset);
      expect(rest.equals(pattern(size).subarray(offset))).toBe(true);
    }
  });

  test("that was changed on disk is not handed out, not even in part", async () => {
    const original = pattern(3 * CHUNK_BYTES);
    await write("file", original);
    const content = await only();
    const changed = Buffer.from(original);
    changed[2 * CHUNK_BYTES + 5] = (changed[2 * CHUNK_BYTES + 5] ?? 0) ^ 1;
    await write("file", changed);

    const pieces: Uint8Array[] = [];
    const reading = (async () => {
      for await (const { data } of readContent(content, 10)) {
        pieces.push(data);
      }
    })();
    expect(await refusal(reading)).toBe("file changed after it was published");
    // What came before the change is what was published.
    expect(Buffer.concat(pieces).equals(original.subarray(10, 2 * CHUNK_BYTES))).toBe(true);
  });

  test("that was cut, replaced by a link or removed is not handed out", async () => {
    await write("file", pattern(1_000));
    const content = await only();
    await truncate(join(folder, "file"), 999);
    expect(await refusal(readAll(content))).toBe("file changed after it was published");
    await rm(join(folder, "file"));
    expect(await refusal(readAll(content))).toBe("file cannot be read");
    await symlink("/etc/hostname", join(folder, "file"));
    expect(await refusal(readAll(content))).toBe("file cannot be read");
    await rm(join(folder, "file"));
    await mkdir(join(folder, "file"));
    expect(await refusal(readAll(content))).toBe("file is not a file");
  });

  test("that grew on disk is still what it was", async () => {
    await write("file", pattern(1_000));
    const content = await only();
    await appendFile(join(folder, "file"), "more");
    expect((await readAll(content)).equals(pattern(1_000))).toBe(true);
  });
});
