import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import type { ClientRelease, Flag } from "../../../gen/ts/realmwire/v1/flag_pb.ts";
import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import { ReleaseService } from "../../../gen/ts/realmwire/v1/release_service_pb.ts";
import { WorldService } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { ReleaseManifest } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { failureOf } from "../../support/player.ts";
import { clientFor, PROTOCOLS } from "../../support/server.ts";
import type { Protocol } from "../../support/server.ts";
import { mapOf, portalTo, walkUntil } from "../../support/walking.ts";
import type { CallsServer } from "./context.ts";

interface Received {
  readonly manifest: ReleaseManifest;
  /** By digest in hex. */
  readonly contents: ReadonlyMap<string, Buffer>;
  readonly bytes: number;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Every file of a folder by its path with `/`. */
async function readFolder(folder: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(folder, path), await readFile(path));
  }
  return files;
}

/** Upgrade, and the flag of a new client release. */
export function describeUpgrades(server: () => CallsServer): void {
  const folder = (version: string) => join(server().dataDir, "clients", "typescript", version);

  async function receive(
    request: { have?: Uint8Array[]; partial?: { sha256: Uint8Array; offset: bigint }[] },
    options: { protocol?: Protocol; stopAfter?: number } = {},
  ): Promise<Received> {
    const { baseUrl, protocol: spoken } = server();
    const client = clientFor(WorldService, baseUrl, "", options.protocol ?? spoken);
    const parts = new Map<string, Buffer[]>();
    const next = new Map<string, bigint>();
    for (const { sha256: digest, offset } of request.partial ?? []) next.set(hex(digest), offset);
    let manifest: ReleaseManifest | undefined;
    let bytes = 0;
    for await (const { part } of client.upgrade({ platform: "typescript", ...request })) {
      if (part.case === "manifest") {
        expect(manifest).toBeUndefined();
        manifest = part.value;
      } else if (part.case === "chunk") {
        const { sha256: digest, offset, data } = part.value;
        const key = hex(digest);
        expect(manifest).toBeDefined();
        expect(data.length).toBeLessThanOrEqual(65_536);
        expect(offset).toBe(next.get(key) ?? 0n);
        next.set(key, offset + BigInt(data.length));
        parts.set(key, [...(parts.get(key) ?? []), Buffer.from(data)]);
        bytes += data.length;
      }
      if (options.stopAfter !== undefined && bytes >= options.stopAfter) break;
    }
    if (!manifest) throw new Error("no manifest");
    const contents = new Map([...parts].map(([key, pieces]) => [key, Buffer.concat(pieces)]));
    return { manifest, contents, bytes };
  }

  test.each(PROTOCOLS)("[PY-2] over %s the folder arrives byte by byte", async (protocol) => {
    const { manifest, contents, bytes } = await receive({}, { protocol });
    const files = await readFolder(folder(manifest.release?.version ?? ""));
    expect(files.size).toBeGreaterThan(20);
    expect(manifest.files.map(({ path }) => path).toSorted()).toEqual([...files.keys()].toSorted());
    for (const { path, size, sha256: digest, executable } of manifest.files) {
      const content = contents.get(hex(digest));
      expect(content?.equals(files.get(path) ?? Buffer.alloc(0)), path).toBe(true);
      expect(Number(size)).toBe(content?.length);
      expect(sha256(content ?? Buffer.alloc(0))).toBe(hex(digest));
      const { mode } = await stat(join(folder(manifest.release?.version ?? ""), path));
      expect(executable).toBe((mode & 0o100) !== 0);
    }
    expect(Number(manifest.bytesToSend)).toBe(bytes);
  });

  test("[PY-2] what the caller has is not sent again, in whatever file it is", async () => {
    const whole = await receive({});
    const { files } = whole.manifest;
    const none = await receive({ have: files.map(({ sha256: digest }) => digest) });
    expect(none.manifest.files).toEqual(files);
    expect([none.manifest.bytesToSend, none.bytes]).toEqual([0n, 0]);
    const half = files.filter((_, index) => index % 2 === 0).map(({ sha256: digest }) => digest);
    const rest = await receive({ have: half });
    const held = new Set(half.map(hex));
    const missing = [...whole.contents.keys()].filter((key) => !held.has(key));
    expect([...rest.contents.keys()].toSorted()).toEqual(missing.toSorted());
    expect(Number(rest.manifest.bytesToSend)).toBe(rest.bytes);
  });

  test("[PY-2] an upgrade that broke off goes on where it was", async () => {
    const whole = await receive({});
    const broken = await receive({}, { stopAfter: 100_000 });
    const have: Uint8Array[] = [];
    const partial: { sha256: Uint8Array; offset: bigint }[] = [];
    for (const [key, content] of broken.contents) {
      const digest = Buffer.from(key, "hex");
      if (sha256(content) === key) have.push(digest);
      else partial.push({ sha256: digest, offset: BigInt(content.length) });
    }
    // Half of a content that came whole, too: the last one may have ended with its file.
    const [digest] = have.splice(0, 1);
    const first = broken.contents.get(hex(digest ?? new Uint8Array()));
    if (!digest || !first) throw new Error("nothing came");
    const cut = Math.floor(first.length / 2);
    partial.push({ sha256: digest, offset: BigInt(cut) });
    const rest = await receive({ have, partial });
    expect(rest.bytes).toBeLessThan(whole.bytes - 90_000);
    for (const [key, content] of whole.contents) {
      const before = broken.contents.get(key) ?? Buffer.alloc(0);
      const begun = key === hex(digest) ? before.subarray(0, cut) : before;
      const joined = Buffer.concat([begun, rest.contents.get(key) ?? Buffer.alloc(0)]);
      expect(joined.equals(content)).toBe(true);
    }
  });

  test("[PY-2] a platform and a version that are not there", async () => {
    const client = server().client(WorldService);
    for (const request of [{ platform: "amiga" }, { platform: "typescript", version: "77.0.0" }]) {
      expect(await failureOf(client.upgrade(request))).toMatchObject({
        code: Code.NotFound,
        reason: ErrorReason.RELEASE_UNKNOWN,
        metadata: { platform: request.platform },
      });
    }
  });

  test("[PY-11] CLIENT reaches everyone in every zone, on the next answer and on the stream", async () => {
    const admin = await server().as(Role.ADMIN);
    const inTown = await server().player("Rel");
    const inMeadow = await server().player("Rel");
    const outside = await server().player("Rel");
    const townSees = inTown.watch();
    const meadowSees = inMeadow.watch();
    await townSees.until("a scene", () => townSees.view.self);
    await meadowSees.until("a scene", () => meadowSees.view.self);
    const speed = { kind: { case: "doubleValue" as const, value: 20 } };
    const change = { case: "value" as const, value: speed };
    await admin.world.set({ name: inMeadow.name, attribute: "speed", change });
    const { middle } = portalTo(await mapOf(inMeadow), "meadow");
    await walkUntil(inMeadow, meadowSees, middle, "the meadow", () =>
      meadowSees.scenes.includes("meadow"),
    );
    await inMeadow.position();

    const version = "9.1.0";
    await mkdir(join(folder(version), "docs"), { recursive: true });
    await writeFile(join(folder(version), "docs", "größer.txt"), "new");
    await writeFile(join(folder(version), "empty"), "");
    await writeFile(join(folder(version), "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
    const release = admin.client(ReleaseService);
    expect(
      await failureOf(
        inTown.client(ReleaseService).publishRelease({ platform: "typescript", version }),
      ),
    ).toMatchObject({ reason: ErrorReason.ROLE_TOO_LOW });
    const published = await release.publishRelease({
      platform: "typescript",
      version,
      oldestWorking: "9.0.0",
    });
    expect(published).toMatchObject({ files: 3, bytes: 13n, release: { version } });

    const isNew = (flag: ClientRelease | undefined) =>
      flag?.platform === "typescript" && flag.version === version && flag.oldestWorking === "9.0.0";
    for (const watcher of [townSees, meadowSees]) {
      await watcher.until("the flag on the stream", () =>
        watcher.flags.some((flag) => flag.case === "client" && isNew(flag.value.release)),
      );
    }
    for (const player of [inTown, inMeadow, outside]) {
      const { flags } = await player.world.get({ attributes: ["name"] });
      expect(releasesIn(flags).some(isNew)).toBe(true);
      const again = await player.world.get({ attributes: ["name"] });
      expect(releasesIn(again.flags)).toEqual([]);
    }
    const { clients } = await server().client(WorldService).version({});
    expect(clients.find(({ platform }) => platform === "typescript")).toMatchObject({ version });
    const { manifest, contents } = await receive({});
    expect(manifest.files.map(({ path, executable }) => [path, executable])).toEqual([
      ["docs/größer.txt", false],
      ["empty", false],
      ["run.sh", true],
    ]);
    expect(contents.get(sha256(Buffer.from("new")))?.toString()).toBe("new");
    for (const player of [inTown, inMeadow]) player.close();

    // The one before can still be had by its version.
    const old = server().client(WorldService).upgrade({
      platform: "typescript",
      version: "0.0.0-test",
    });
    for await (const { part } of old) {
      expect(part.case === "manifest" && part.value.release?.version).toBe("0.0.0-test");
      break;
    }
  });

  test("[PY-11] flags ride on Upgrade's first message and on Version too", async () => {
    const player = await server().as(Role.BUILDER);
    const { flags } = await player.world.version({});
    expect(flags).toEqual([]);
    await player.position();
    const raise = (x: number) =>
      server()
        .server.zones.get("town")
        .then((zone) =>
          zone.edit({
            commands: [
              {
                $typeName: "realmwire.v1.EditCommand",
                kind: {
                  case: "setBarriers",
                  value: {
                    $typeName: "realmwire.v1.SetBarriers",
                    region: { $typeName: "realmwire.v1.Region", x, y: 0, width: 1, height: 1 },
                    blocked: false,
                  },
                },
              },
            ],
            undoRevision: 0,
            dryRun: false,
            expectedRevision: 0,
            author: player.name,
          }),
        );
    await raise(0);
    const first: string[] = [];
    for await (const message of player.world.upgrade({ platform: "typescript" })) {
      first.push(...message.flags.map(({ kind }) => kind.case ?? ""));
      break;
    }
    expect(first).toEqual(["map"]);
  });
}

function releasesIn(flags: readonly Flag[]): (ClientRelease | undefined)[] {
  return flags.flatMap(({ kind }) => (kind.case === "client" ? [kind.value.release] : []));
}
