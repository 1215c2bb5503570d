import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ErrorDetailSchema, ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { readTree, writeTree } from "../../test/support/client-releases.ts";
import {
  chunkOf,
  fileOf,
  type HostileServer,
  manifestOf,
  startHostileServer,
  type UpgradePart,
} from "../../test/support/hostile-server.ts";
import { whyNotPortable } from "../../server/release/portable-path.ts";
import { updateFolder, type UpdateProgress } from "./index.ts";

const FAST = { firstDelayMs: 1, maxDelayMs: 2, maxAttempts: 3, maxFirstAttempts: 2 };
const OLD = { "docs/readme.txt": "old", "save.sav": "mine" };

let work: string;
let client: string;
let before: Record<string, string>;
let server: HostileServer | undefined;

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), "realmwire-hostile-"));
  client = join(work, "client");
  await writeTree(client, OLD);
  before = await readTree(work);
});

afterEach(async () => {
  await server?.close();
  await rm(work, { recursive: true, force: true });
});

async function serve(upgrade: Parameters<typeof startHostileServer>[0]): Promise<void> {
  server = await startHostileServer(upgrade);
}

function update(onProgress: (progress: UpdateProgress) => void = () => {}) {
  const baseUrl = server?.baseUrl ?? "";
  return updateFolder({ folder: client, baseUrl, from: "unknown", retry: FAST, onProgress });
}

/** The client is as it was, and nothing was written anywhere else. */
async function expectUntouched(): Promise<void> {
  expect(await readTree(work)).toEqual(before);
}

const ABOVE = ["..", "../x", "a/../../x", "a/..", "./x", "a/./b", ".", "a//b", "a/", ""];
const ABSOLUTE = ["/etc/passwd", "//server/share", "C:/x", "C:x", "c:", "a/C:/x"];
const ELSEWHERE = ["..\\x", "a\\b", "\\\\server\\share", "a\0b", "a\nb", "a\u0085b", "x:stream"];
const DEVICES = ["con", "NUL.txt", "a/Aux", "com1.tar.gz", "LPT9", "COM¹", "conin$", "nul .txt"];
const TRIMMED = ["a.", "a ", "a./b", "a /b", "...", "a|b", "a<b", "a?b", "a*b", 'a"b'];
const OWN = [".realmwire-release.json", ".Realmwire-Release.JSON", ".realmwire-release.json/x"];
const FINE = [".hidden", "..a", "a..b", "console", "com", "com10", "auxiliary/nulls", "ä/ö ü/ß"];
const LONG = ["a".repeat(256), `${"ä/".repeat(85)}x`];

test.each([...ABOVE, ...ABSOLUTE, ...ELSEWHERE, ...DEVICES, ...TRIMMED, ...OWN, ...LONG])(
  "[PY-2] the path %j is refused before anything is written",
  async (path) => {
    await serve(() => [manifestOf([fileOf("docs/fine.txt"), fileOf(path)]), chunkOf("content")]);
    await expect(update()).rejects.toMatchObject({
      failure: "bad-release",
      message: expect.stringContaining("the path") as string,
    });
    expect(server?.requests).toHaveLength(1);
    await expectUntouched();
  },
);

test("[PY-2] what no client takes is not published in the first place", () => {
  // What a folder of a server can hold at all.
  const names = [...ELSEWHERE, ...DEVICES, ...TRIMMED, ".realmwire-release.json", "C:x", "c:"];
  for (const name of names) {
    const parts = name.split("/").map((_, i, all) => all.slice(0, i + 1).join("/"));
    expect(parts.map(whyNotPortable), name).toContainEqual(expect.any(String));
  }
  for (const name of FINE) expect(whyNotPortable(name)).toBeUndefined();
});

test.each([
  ["a", "a"],
  ["a", "A"],
  ["a", "a/b"],
  ["a/b", "a"],
  ["dir/a", "DIR/b"],
  ["dir/a", "Dir"],
  ["é", "e\u0301"],
  ["straße", "STRASSE"],
  ["a", "a\u200b"],
  ["K", "\u212a"],
])("[PY-2] %j and %j are one place on some system", async (one, other) => {
  await serve(() => [manifestOf([fileOf(one), fileOf(other)]), chunkOf("content")]);
  await expect(update()).rejects.toMatchObject({
    failure: "bad-release",
    message: expect.stringContaining("the same place") as string,
  });
  await expectUntouched();
});

test("paths that look odd and are fine", async () => {
  await serve(() => [manifestOf(FINE.map((path) => fileOf(path))), chunkOf("content")]);
  await update();
  expect(Object.keys(await readTree(client))).toEqual(expect.arrayContaining(FINE));
});

const file = fileOf("a");
const noHash = { ...file, sha256: new Uint8Array(31) };
const twoSizes = { ...fileOf("b"), size: 8n };
const huge = { ...file, size: 2n ** 60n };
const many = Array.from({ length: 10_001 }, (_, i) => fileOf(`${i}`));
const unnamed: UpgradePart = { part: { case: "manifest", value: { files: [file] } } };
const badName = manifestOf([file]);
if (badName.part?.case === "manifest") {
  badName.part.value.release = { platform: "test", version: "2\u001b[2J" };
}

test.each([
  ["a hash that is none", [manifestOf([noHash])], "no 32 bytes"],
  ["one content with two sizes", [manifestOf([file, twoSizes])], "two sizes"],
  ["a size beyond all bounds", [manifestOf([huge])], "too large"],
  ["no files", [manifestOf([])], "no files"],
  ["too many files", [manifestOf(many)], "more than 10000 files"],
  ["no release", [unnamed], "no release"],
  ["a version that controls the terminal", [badName], "is no name"],
  ["no manifest", [], "no manifest came"],
  ["a piece before the manifest", [chunkOf("content"), manifestOf([file])], "not at first"],
  ["two manifests", [manifestOf([file]), manifestOf([file])], "came twice"],
  ["an empty part", [manifestOf([file]), {}], "not at first"],
  ["a content nobody asked for", [manifestOf([file]), chunkOf("other")], "nobody asked for"],
  [
    "a gap",
    [manifestOf([file]), chunkOf("x", { offset: 1, of: "content" })],
    "byte 1 instead of 0",
  ],
  [
    "too much",
    [manifestOf([file]), chunkOf("content!", { of: "content" })],
    "more than its 7 bytes",
  ],
  ["twice", [manifestOf([file]), chunkOf("content"), chunkOf("content")], "nobody asked for"],
])("[PY-2] %s is refused", async (_, parts, message) => {
  await serve(() => parts);
  await expect(update()).rejects.toMatchObject({
    failure: "bad-release",
    message: expect.stringContaining(message) as string,
  });
  const tree = Object.entries(await readTree(work));
  expect(Object.fromEntries(tree.filter(([path]) => path.startsWith("client/")))).toEqual(before);
});

test("[PY-2] a content that is not what its hash says is fetched again, and never installed", async () => {
  await serve((_, call) => [
    manifestOf([file]),
    chunkOf(call < 4 ? "CONTENT" : "content", { of: "content" }),
  ]);
  await update();
  // The manifest, two spoiled ones, a good one.
  expect(server?.requests).toHaveLength(4);
  await server?.close();

  await serve(() => [manifestOf([fileOf("b", "other")]), chunkOf("OTHER", { of: "other" })]);
  await expect(update()).rejects.toMatchObject({
    failure: "bad-release",
    message: expect.stringMatching(/came 3 times with another hash/) as string,
  });
  expect(Object.keys(await readTree(client))).toContain("a");
});

test("[PY-2] a part that was spoiled on the disk is thrown away and fetched anew", async () => {
  const whole = "0123456789";
  await serve((request, call) => {
    const offset = Number(request.partial[0]?.offset ?? 0);
    if (call === 2) return [manifestOf([fileOf("a", whole)]), chunkOf("0123", { of: whole })];
    return [manifestOf([fileOf("a", whole)]), chunkOf(whole.slice(offset), { offset, of: whole })];
  });
  const end = new AbortController();
  const baseUrl = server?.baseUrl ?? "";
  const ended = updateFolder({
    folder: client,
    baseUrl,
    from: "unknown",
    signal: end.signal,
    onProgress: (progress) => {
      if (progress.kind === "downloading" && progress.bytes === 4) end.abort(new Error("enough"));
    },
  });
  await expect(ended).rejects.toThrow("enough");
  const contents = join(work, ".client.update/contents");
  const [part = ""] = await readdir(contents);
  await writeFile(join(contents, part), "xxxx");
  await update();
  const [, , , resumed, again] = server?.requests ?? [];
  expect(resumed?.partial.map(({ offset }) => offset)).toEqual([4n]);
  expect(again?.partial).toEqual([]);
  expect((await readTree(client))["a"]).toMatch(/84d89877f0d4041efb6bf91a16f0248f2fd573e6/);
  expect(await readdir(work)).toEqual(["client"]);
});

test("a server that asks to wait is waited for; one that asks for too long is given up", async () => {
  let delayMs = 300;
  const busy = () =>
    new ConnectError("too many", Code.ResourceExhausted, undefined, [
      {
        desc: ErrorDetailSchema,
        value: { reason: ErrorReason.TOO_MANY_CALLS, retryDelay: durationFromMs(delayMs) },
      },
    ]);
  await serve((_, call) => {
    if (call === 1) throw busy();
    return [manifestOf([file]), chunkOf("content")];
  });
  const waits: number[] = [];
  const note = (progress: UpdateProgress) =>
    void (progress.kind === "waiting" && waits.push(progress.retryInMs));
  await update(note);
  expect(waits).toEqual([300]);
  await server?.close();

  delayMs = 11 * 60 * 1000;
  await serve(() => {
    throw busy();
  });
  await expect(update(note)).rejects.toMatchObject({ reason: ErrorReason.TOO_MANY_CALLS });
  expect(waits).toEqual([300]);
});

test("a release that is published anew meanwhile is planned anew, a few times", async () => {
  const versions = (call: number) => fileOf("a", call < 2 ? "first" : "second");
  await serve((_, call) => [manifestOf([versions(call)]), chunkOf("second")]);
  await update();
  expect(server?.requests).toHaveLength(4);
  await server?.close();

  await serve((_, call) => [manifestOf([fileOf("b", `${call}`)])]);
  await expect(update()).rejects.toThrow("published anew");
});
