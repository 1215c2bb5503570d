import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { createMemoryLog } from "../../test/support/rpc-server.ts";
import { createLocalBus, type LocalBus } from "../bus/local-bus.ts";
import { hasReason } from "../errors.ts";
import { openTestStore, type TestStore } from "../../test/support/test-store.ts";
import type { Store } from "../store/store.ts";
import { ensureDefaultRelease } from "./default-release.ts";
import { createReleases, type Releases } from "./releases.ts";

let own: TestStore;
let dataDir: string;
let store: Store;
let bus: LocalBus;
let clientsDir: string;
let platforms = 0;
/** A platform that no other test uses. */
let platform: string;
const open: Releases[] = [];
const { logger, lines } = createMemoryLog();

beforeAll(async () => {
  own = await openTestStore();
  ({ store, folder: dataDir } = own);
});

afterAll(async () => {
  await own.dispose();
});

beforeEach(async () => {
  bus = createLocalBus();
  await bus.start();
  clientsDir = await mkdtemp(join(dataDir, "clients-"));
  platform = `platform-${++platforms}`;
  lines.length = 0;
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((releases) => releases.close()));
  await bus.close();
});

async function write(path: string, content: string): Promise<void> {
  const file = join(clientsDir, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

async function startNode(dir = clientsDir): Promise<Releases> {
  const releases = createReleases({ clientsDir: dir, store, bus, now: Date.now, logger });
  await releases.start();
  open.push(releases);
  return releases;
}

async function expectRefusal(promise: Promise<unknown>, reason: ErrorReason): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(hasReason(error, reason)).toBe(true);
}

describe("publishing", () => {
  test("makes a folder current, and a new start finds it", async () => {
    await write(`${platform}/1.0.0/app.js`, "one");
    const releases = await startNode();
    const { info, image } = await releases.publish({ platform, version: "1.0.0" });
    expect(info).toMatchObject({ platform, version: "1.0.0", oldestWorking: "1.0.0" });
    expect(image.files.map(({ path }) => path)).toEqual(["app.js"]);
    expect(releases.current(platform)?.info).toEqual(info);
    const again = await startNode();
    expect(again.current(platform)?.info).toEqual(info);
    expect(again.current(platform)?.image.sha256).toEqual(image.sha256);
    expect(again.list()).toContainEqual(info);
  });

  test("[PY-11] is told to all nodes, which offer the release by then", async () => {
    await write(`${platform}/1.0.0/app.js`, "one");
    await write(`${platform}/1.1.0/app.js`, "two");
    const here = await startNode();
    const there = await startNode();
    const told: string[] = [];
    const tell = (node: string, releases: Releases, version: string) =>
      told.push(`${node} told of ${version} offers ${releases.current(platform)?.info.version}`);
    here.onPublished(({ version }) => tell("here", here, version));
    const heard = new Promise<void>((resolve) => {
      there.onPublished(({ version }) => {
        tell("there", there, version);
        if (version === "1.1.0") resolve();
      });
    });
    await here.publish({ platform, version: "1.0.0" });
    await here.publish({ platform, version: "1.1.0" });
    await heard;
    await here.close();
    expect(told.toSorted()).toEqual([
      "here told of 1.0.0 offers 1.0.0",
      "here told of 1.1.0 offers 1.1.0",
      "there told of 1.0.0 offers 1.0.0",
      "there told of 1.1.0 offers 1.1.0",
    ]);
  });

  test("at once lets the last one win, and no node goes back", async () => {
    await write(`${platform}/1.0.0/app.js`, "one");
    await write(`${platform}/1.1.0/app.js`, "two");
    const here = await startNode();
    const there = await startNode();
    const offered: (string | undefined)[] = [];
    here.onPublished(() => offered.push(here.current(platform)?.info.version));
    await Promise.all([
      here.publish({ platform, version: "1.0.0" }),
      here.publish({ platform, version: "1.1.0" }),
    ]);
    await here.close();
    await there.close();
    expect(offered).toEqual(["1.1.0", "1.1.0"]);
    expect(there.current(platform)?.info.version).toBe("1.1.0");
  });

  test("again makes all nodes read the folder again", async () => {
    await write(`${platform}/1.0.0/app.js`, "one");
    const here = await startNode();
    const there = await startNode();
    const heardBefore = new Promise((resolve) => there.onPublished(resolve));
    await here.publish({ platform, version: "1.0.0" });
    await heardBefore;
    await write(`${platform}/1.0.0/app.js`, "other");
    const heard = new Promise((resolve) => there.onPublished(resolve));
    const { image } = await here.publish({ platform, version: "1.0.0" });
    await heard;
    expect(there.current(platform)?.image.sha256).toEqual(image.sha256);
  });

  test("reaches listeners on nodes that lack the folder; they say so in the log", async () => {
    await write(`${platform}/1.0.0/app.js`, "one");
    const here = await startNode();
    const there = await startNode(join(dataDir, "nowhere"));
    lines.length = 0;
    const heard = new Promise((resolve) => there.onPublished(resolve));
    await here.publish({ platform, version: "1.0.0" });
    expect(await heard).toMatchObject({ platform, version: "1.0.0" });
    expect(there.current(platform)).toBeUndefined();
    expect(lines.filter(({ level }) => level === "error")).toMatchObject([
      { message: "a client release cannot be offered", fields: { platform, version: "1.0.0" } },
    ]);
  });

  test("keeps the oldest working release unless another is named", async () => {
    for (const version of ["1.0.0", "1.1.0", "1.2.0"]) {
      await write(`${platform}/${version}/app.js`, version);
    }
    const releases = await startNode();
    const oldest = async (version: string, oldestWorking = "") =>
      (await releases.publish({ platform, version, oldestWorking })).info.oldestWorking;
    expect(await oldest("1.1.0")).toBe("1.1.0");
    expect(await oldest("1.2.0")).toBe("1.1.0");
    expect(await oldest("1.2.0", "1.2.0")).toBe("1.2.0");
    // Back to an older release: that one works, whatever was said before.
    expect(await oldest("1.0.0")).toBe("1.0.0");
  });

  test("needs a folder that can be sent", async () => {
    await mkdir(join(clientsDir, platform, "1.0.0"), { recursive: true });
    await write(`${platform}/1.1.0/app.js`, "x");
    await symlink(join(clientsDir, platform, "1.1.0"), join(clientsDir, platform, "1.2.0"));
    const releases = await startNode();
    await expectRefusal(
      releases.publish({ platform, version: "1.0.0" }),
      ErrorReason.RELEASE_UNUSABLE,
    );
    await expectRefusal(
      releases.publish({ platform, version: "1.2.0" }),
      ErrorReason.RELEASE_UNKNOWN,
    );
    await expectRefusal(
      releases.publish({ platform, version: "9.9.9" }),
      ErrorReason.RELEASE_UNKNOWN,
    );
    expect(releases.current(platform)).toBeUndefined();
    expect((await store.listReleases()).some((record) => record.platform === platform)).toBe(false);
  });

  test.each([
    [{ platform: "..", version: "1.0.0" }],
    [{ platform: "a/b", version: "1.0.0" }],
    [{ platform: "a", version: "1.0" }],
    [{ platform: "a", version: "1.0.0/../.." }],
    [{ platform: "a", version: "1.0.0", oldestWorking: "x" }],
    [{ platform: "a", version: "1.0.0", oldestWorking: "1.0.1" }],
  ])("refuses names that are none: %j", async (request) => {
    await expectRefusal((await startNode()).publish(request), ErrorReason.INVALID_FIELDS);
  });
});

describe("starting", () => {
  test("does not offer what is no longer there, and says so", async () => {
    await write(`${platform}/1.0.0/app.js`, "one");
    await (await startNode()).publish({ platform, version: "1.0.0" });
    await rm(join(clientsDir, platform), { recursive: true });
    lines.length = 0;
    const releases = await startNode();
    expect(releases.current(platform)).toBeUndefined();
    expect(releases.list().some((info) => info.platform === platform)).toBe(false);
    expect(lines.map(({ fields }) => fields["platform"])).toContain(platform);
  });
});

describe("finding", () => {
  test("answers the current release, and older ones as long as their folder exists", async () => {
    for (const version of ["1.0.0", "1.1.0", "1.2.0"]) {
      await write(`${platform}/${version}/app.js`, version);
    }
    const releases = await startNode();
    await releases.publish({ platform, version: "1.1.0" });
    expect((await releases.find(platform)).info.version).toBe("1.1.0");
    expect((await releases.find("", "")).info.platform).toBe(platform);
    const [old, same] = await Promise.all([
      releases.find(platform, "1.0.0"),
      releases.find(platform, "1.0.0"),
    ]);
    expect(old.info).toMatchObject({ platform, version: "1.0.0", oldestWorking: "1.1.0" });
    expect(old.image.bytes).toBe(5);
    expect(same.image).toBe(old.image);
    // Not published yet.
    await expectRefusal(releases.find(platform, "1.2.0"), ErrorReason.RELEASE_UNKNOWN);
    await expectRefusal(releases.find(platform, "0.9.0"), ErrorReason.RELEASE_UNKNOWN);
    await expectRefusal(releases.find(platform, "../1.0.0"), ErrorReason.RELEASE_UNKNOWN);
    await expectRefusal(releases.find("other"), ErrorReason.RELEASE_UNKNOWN);
  });

  test("needs a platform when there are several", async () => {
    const releases = await startNode();
    for (const name of [`${platform}-a`, `${platform}-b`]) {
      await write(`${name}/1.0.0/app.js`, name);
      await releases.publish({ platform: name, version: "1.0.0" });
    }
    expect(releases.current()).toBeUndefined();
    await expectRefusal(releases.find(""), ErrorReason.RELEASE_UNKNOWN);
  });
});

describe("the default release", () => {
  async function tree(folder: string): Promise<string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .toSorted();
  }

  async function ensure(releases: Releases, version: string): Promise<void> {
    await ensureDefaultRelease({
      clientsDir,
      sources: [
        { from: join(dataDir, "sdk"), to: "." },
        { from: join(dataDir, "generated"), to: "gen" },
      ],
      texts: { "package.json": "{}\n" },
      version,
      releases,
    });
  }

  beforeAll(async () => {
    for (const path of [
      "sdk/src/index.ts",
      "sdk/src/index.test.ts",
      "sdk/node_modules/x/index.js",
      "sdk/src/testing/peer.ts",
      "sdk/.cache",
      "generated/v1/world_pb.ts",
    ]) {
      await mkdir(dirname(join(dataDir, path)), { recursive: true });
      await writeFile(join(dataDir, path), path);
    }
  });

  test("[PY-2] is the SDK without its tests, at every version of the server once", async () => {
    const releases = await startNode();
    await Promise.all([ensure(releases, "0.1.0"), ensure(releases, "0.1.0")]);
    expect(await tree(join(clientsDir, "typescript", "0.1.0"))).toEqual([
      "gen/v1/world_pb.ts",
      "package.json",
      "src/index.ts",
    ]);
    expect(await readFile(join(clientsDir, "typescript/0.1.0/package.json"), "utf8")).toBe("{}\n");
    expect(await readFile(join(clientsDir, "typescript/0.1.0/src/index.ts"), "utf8")).toBe(
      "sdk/src/index.ts",
    );
    expect(await readdir(clientsDir)).toEqual(["typescript"]);
    expect(releases.current("typescript")?.info.version).toBe("0.1.0");

    await ensure(releases, "0.2.0");
    expect(releases.current("typescript")?.info).toMatchObject({
      version: "0.2.0",
      oldestWorking: "0.1.0",
    });
    // An older server does not take the newer release back.
    await ensure(releases, "0.1.0");
    expect(releases.current("typescript")?.info.version).toBe("0.2.0");
  });

  test("leaves nothing half done behind when its sources are missing", async () => {
    const releases = await startNode();
    const missing = ensureDefaultRelease({
      clientsDir,
      sources: [
        { from: join(dataDir, "sdk"), to: "." },
        { from: join(dataDir, "missing"), to: "gen" },
      ],
      version: "0.1.0",
      releases,
    });
    await expect(missing).rejects.toThrow("ENOENT");
    expect(await readdir(clientsDir)).toEqual([]);
  });
});
