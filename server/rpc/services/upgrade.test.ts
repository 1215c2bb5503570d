import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, readlink, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { ReleaseService } from "../../../gen/ts/realmwire/v1/release_service_pb.ts";
import {
  type ReleaseFile,
  type ReleaseManifest,
  UpgradeRequestSchema,
  UpgradeResponseSchema,
} from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createMemoryLog } from "../../../test/support/rpc-server.ts";
import { createLocalBus, type LocalBus } from "../../bus/local-bus.ts";
import { DomainError } from "../../errors.ts";
import { createAudit } from "./audit.ts";
import { createReleases, type Releases } from "../../release/releases.ts";
import { openTestStore, type TestStore } from "../../../test/support/test-store.ts";
import type { Store } from "../../store/store.ts";
import { createReleaseService } from "./release-service.ts";
import { createUpgrade, type Upgrade } from "./upgrade.ts";

/** The address that everybody calls from. */
const PEER = "192.0.2.1";
const PLATFORM = "test";
const KIB = 1024;
const { logger, lines } = createMemoryLog();

let own: TestStore;
let dataDir: string;
let store: Store;
let bus: LocalBus;
let releases: Releases;
let upgrade: Upgrade;

const BIG = pattern(5 * 64 * KIB + 123);
const FILES: Record<string, Uint8Array> = {
  "bin/run": Buffer.from("#!/bin/sh\n"),
  "assets/big.bin": BIG,
  "assets/copy of big.bin": BIG,
  "assets/empty": new Uint8Array(),
  "naïve/deep/er/file.txt": Buffer.from("text"),
};

beforeAll(async () => {
  own = await openTestStore();
  ({ store, folder: dataDir } = own);
  bus = createLocalBus();
  await bus.start();
  const clientsDir = join(dataDir, "clients");
  releases = createReleases({ clientsDir, store, bus, now: Date.now, logger });
  await releases.start();
  for (const [path, content] of Object.entries(FILES)) {
    await write("1.0.0", path, content);
  }
  await chmod(join(dataDir, "clients", PLATFORM, "1.0.0", "bin/run"), 0o755);
  await releases.publish({ platform: PLATFORM, version: "1.0.0" });
  upgrade = createUpgrade({ releases, logger });
});

afterAll(async () => {
  await releases.close();
  await bus.close();
  await own.dispose();
});

function pattern(size: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i ^ (i >> 8) ^ (i >> 16)) & 255));
}

function sha256(content: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(content).digest());
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

async function write(version: string, path: string, content: Uint8Array | string): Promise<void> {
  const file = join(dataDir, "clients", PLATFORM, version, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

type Request = MessageInitShape<typeof UpgradeRequestSchema>;

function start(request: Request, signal = new AbortController().signal) {
  return upgrade(create(UpgradeRequestSchema, request), { signal, peer: PEER });
}

/** Takes an upgrade as a client does: the manifest, and what came of each content, held parts included. */
async function take(request: Request, held: readonly Uint8Array[] = []) {
  let manifest: ReleaseManifest | undefined;
  const contents = new Map(held.map((content) => [hex(sha256(content)), Buffer.from(content)]));
  const received = new Map<string, number>();
  for await (const init of start(request)) {
    const { part } = create(UpgradeResponseSchema, init);
    if (part.case === "manifest") {
      expect(manifest).toBeUndefined();
      manifest = part.value;
    } else if (part.case === "chunk") {
      expect(manifest).toBeDefined();
      const { sha256: digest, offset, data } = part.value;
      expect(data.length).toBeLessThanOrEqual(64 * KIB);
      const before = contents.get(hex(digest)) ?? Buffer.alloc(0);
      expect(offset).toBe(BigInt(before.length));
      contents.set(hex(digest), Buffer.concat([before, data]));
      received.set(hex(digest), (received.get(hex(digest)) ?? 0) + data.length);
    }
  }
  if (manifest === undefined) {
    throw new Error("no manifest came");
  }
  const bytes = [...received.values()].reduce((sum, size) => sum + size, 0);
  expect(manifest.bytesToSend).toBe(BigInt(bytes));
  return { manifest, contents, received };
}

async function refusal(promise: Promise<unknown>): Promise<DomainError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DomainError);
  return error as DomainError;
}

/** The release's files that this process holds open. */
async function openFiles(): Promise<string[]> {
  const links = await Promise.all(
    (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")),
  );
  return links.filter((link) => link.startsWith(join(dataDir, "clients")));
}

test("[PY-2] an empty folder becomes byte for byte the release", async () => {
  const { manifest, contents } = await take({});
  expect(manifest.release).toMatchObject({ platform: PLATFORM, version: "1.0.0" });
  const folder = join(dataDir, "copy");
  for (const file of manifest.files) {
    const target = join(folder, file.path);
    await mkdir(dirname(target), { recursive: true });
    const content = contents.get(hex(file.sha256)) ?? Buffer.from("missing");
    expect(sha256(content)).toEqual(file.sha256);
    await writeFile(target, content, { mode: file.executable ? 0o755 : 0o644 });
  }
  expect(manifest.files.map(({ path }) => path).toSorted()).toEqual(Object.keys(FILES).toSorted());
  for (const [path, content] of Object.entries(FILES)) {
    expect((await readFile(join(folder, path))).equals(content)).toBe(true);
    expect(((await stat(join(folder, path))).mode & 0o100) !== 0).toBe(path === "bin/run");
  }
});

test("[PY-2] each content comes once, and what the caller has does not come at all", async () => {
  const all = await take({ platform: PLATFORM });
  expect(all.received.get(hex(sha256(BIG)))).toBe(BIG.length);
  expect(all.received.size).toBe(4);
  const rest = await take({
    have: [sha256(BIG), sha256(new Uint8Array()), sha256(Buffer.from("?"))],
  });
  expect([...rest.received.values()].toSorted((a, b) => a - b)).toEqual([4, 10]);
  const none = await take({ have: Object.values(FILES).map(sha256) });
  expect(none.received.size).toBe(0);
  expect(none.manifest.files).toEqual(all.manifest.files);
});

test.each([1, 64 * KIB, 3 * 64 * KIB + 7, BIG.length - 1, BIG.length])(
  "[PY-2] a content is resumed at byte %i",
  async (offset) => {
    const request = {
      have: Object.values(FILES)
        .filter((content) => content !== BIG)
        .map(sha256),
      partial: [
        { sha256: sha256(BIG), offset: BigInt(offset) },
        { sha256: sha256(Buffer.from("of another release")), offset: 999n },
      ],
    };
    let resumed = BIG.subarray(0, offset);
    for await (const { part } of start(request)) {
      if (part?.case === "chunk") {
        expect(part.value.offset).toBe(BigInt(resumed.length));
        resumed = Buffer.concat([resumed, part.value.data ?? new Uint8Array()]);
      } else if (part?.case === "manifest") {
        expect(part.value.bytesToSend).toBe(BigInt(BIG.length - offset));
      }
    }
    expect(resumed.equals(BIG)).toBe(true);
  },
);

test("an offset beyond the content is refused before anything is sent", async () => {
  const request = {
    partial: [
      { sha256: sha256(Buffer.from("text")), offset: 4n },
      { sha256: sha256(BIG), offset: BigInt(BIG.length + 1) },
    ],
  };
  const error = await refusal(start(request).next());
  expect(error.reason).toBe(ErrorReason.INVALID_FIELDS);
  expect(error.details.violations?.map(({ field }) => field)).toEqual(["partial[1].offset"]);
});

test("what is not published is unknown", async () => {
  for (const request of [
    { platform: "other" },
    { version: "2.0.0" },
    { version: "0.0.1" },
    { platform: "../clients", version: "1.0.0" },
  ]) {
    expect((await refusal(start(request).next())).reason).toBe(ErrorReason.RELEASE_UNKNOWN);
  }
});

test("a caller who leaves, and one whose call is aborted, leave no file open", async () => {
  const leaving = start({});
  await leaving.next();
  await leaving.next();
  expect(await openFiles()).not.toEqual([]);
  await leaving.return();
  expect(await openFiles()).toEqual([]);

  const caller = new AbortController();
  const aborted = start({}, caller.signal);
  await aborted.next();
  await aborted.next();
  expect(await openFiles()).not.toEqual([]);
  caller.abort(new Error("gone"));
  await expect(aborted.next()).rejects.toThrow("gone");
  expect(await openFiles()).toEqual([]);
});

test.each([
  ["all", { maxRunning: 1 }, "192.0.2.2"],
  ["one address", { maxPerAddress: 1 }, PEER],
])("no more upgrades of %s run at once than the bound", async (_, bounds, peer) => {
  const bounded = createUpgrade({ releases, logger, ...bounds });
  const { signal } = new AbortController();
  const start = (from: string) => bounded(create(UpgradeRequestSchema), { signal, peer: from });
  const first = start(PEER);
  await first.next();
  const error = await refusal(start(peer).next());
  expect(error.reason).toBe(ErrorReason.TOO_MANY_CALLS);
  expect(error.details.retryDelayMs).toBeGreaterThan(0);
  if (peer === PEER) expect((await start("192.0.2.2").next()).done).toBe(false);
  await first.return();
  expect((await start(peer).next()).done).toBe(false);
});

test("a file that changed after publishing ends the upgrade with a clear error, not with other content", async () => {
  await write("1.1.0", "big.bin", BIG);
  await releases.publish({ platform: PLATFORM, version: "1.1.0" });
  const changed = Buffer.from(BIG);
  changed[200_000] = (changed[200_000] ?? 0) ^ 255;
  await write("1.1.0", "big.bin", changed);
  lines.length = 0;
  const sent: Uint8Array[] = [];
  const error = await refusal(
    (async () => {
      for await (const { part } of start({})) {
        if (part?.case === "chunk") {
          sent.push(part.value.data ?? new Uint8Array());
        }
      }
    })(),
  );
  expect(error.reason).toBe(ErrorReason.RELEASE_UNUSABLE);
  expect(error.details.metadata?.["cause"]).toBe("big.bin changed after it was published");
  expect(Buffer.concat(sent).equals(BIG.subarray(0, 3 * 64 * KIB))).toBe(true);
  expect(lines.map(({ message }) => message)).toEqual(["a client release cannot be sent"]);
  // The release before can still be had.
  const before = await take({ version: "1.0.0" });
  expect(before.manifest.files.map((file: ReleaseFile) => file.path)).toContain("bin/run");
});

test("an admin publishes a release while callers are served", async () => {
  const running = start({ version: "1.0.0" });
  await running.next();
  await write("1.2.0", "small.txt", "small");
  const heard = new Promise((resolve) => releases.onPublished(resolve));
  const log = createMemoryLog();
  const { handlers } = createReleaseService({ releases, audit: createAudit(log.logger) });
  const publish = handlers["publishRelease"] as (request: object, call: object) => Promise<unknown>;
  const request = create(ReleaseService.method.publishRelease.input, {
    platform: PLATFORM,
    version: "1.2.0",
  });
  expect(await publish(request, { session: { accountName: "admin" } })).toMatchObject({
    release: { platform: PLATFORM, version: "1.2.0" },
    files: 1,
    bytes: 5n,
  });
  expect(await heard).toMatchObject({ version: "1.2.0" });
  expect(log.lines.map(({ fields }) => fields)).toMatchObject([
    { audit: "PublishRelease", admin: "admin", platform: PLATFORM, version: "1.2.0" },
  ]);
  expect((await take({})).manifest.release?.version).toBe("1.2.0");
  let rest = 0;
  for await (const { part } of running) {
    rest += part?.case === "chunk" ? (part.value.data?.length ?? 0) : 0;
  }
  expect(rest).toBe(BIG.length + 14);
});
