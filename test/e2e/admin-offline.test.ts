import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { RecordingSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { createDataFolders, type DataFolders } from "../support/data-folders.ts";
import { admin, runAdmin } from "../support/admin-command.ts";
import { type CertificateFolder, createCertificateFolder } from "../support/certificate.ts";
import { loginPlayer } from "../support/player.ts";
import { DEV_PASSWORD, startTestServer, type TestServer } from "../support/server.ts";

/** Ticks between two recorded hashes, twice and a bit. */
const TICKS = 110;

/** Each command is a process of its own that loads the game, and each server is started several times. */
const PATIENT = { timeout: 120_000 };

let folders: DataFolders;
let folder: string;
let certificate: CertificateFolder;
let server: TestServer | undefined;

beforeAll(async () => {
  folders = await createDataFolders();
  certificate = await createCertificateFolder();
});
afterAll(async () => {
  await folders.dispose();
  await certificate.dispose();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "admin-offline-"));
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  await rm(folder, { recursive: true });
});

const env = (user: string, password: string): NodeJS.ProcessEnv => ({
  ...{ REALMWIRE_URL: server?.baseUrl, XDG_STATE_HOME: folder },
  ...{ REALMWIRE_USER: user, REALMWIRE_PASSWORD: password },
});

test(
  "[SM-3] the first admin of a production server is made in its folder, and runs it over TLS",
  PATIENT,
  async () => {
    const data = join(folder, "data");
    const made = await admin(["create-admin", "boss", "--data", data, "--generate"], {});
    const password = /shown only this once: (\S+)\n/.exec(made)?.[1] ?? "";
    expect(password.length).toBeGreaterThan(20);
    const production = { NODE_ENV: "production" };
    server = await startTestServer({ dataDir: data, env: production, certificate });
    const running = await runAdmin(["create-admin", "other", "--data", data, "--generate"]);
    expect(running).toMatchObject({ code: 1, stderr: expect.stringContaining("in use") });
    const trusted = ["users", "--ca", certificate.certFile];
    expect(await admin(trusted, env("boss", password))).toMatch(/\nboss +admin /);
    const untrusted = await runAdmin(["users"], env("boss", password));
    expect(untrusted).toMatchObject({ code: 1, stderr: expect.stringContaining("--ca") });
  },
);

test(
  "an account that is there becomes an admin when that is meant, with a new password if asked for",
  PATIENT,
  async () => {
    const data = await folders.next();
    const args = ["create-admin", "ada", "--data", data, "--new-password"];
    const password = { REALMWIRE_PASSWORD: "an entirely new one" };
    const unsure = await runAdmin(args, password);
    expect(unsure).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") });
    expect(await admin([...args, "--yes"], password)).toBe("ada is an admin now\n");
    server = await startTestServer({ dataDir: data });
    expect((await runAdmin(["login"], env("ada", DEV_PASSWORD))).code).toBe(1);
    await admin(["users"], env("ada", "an entirely new one"));
  },
);

test(
  "[architecture: the simulation] a running zone is recorded, and its replay gives the same states",
  PATIENT,
  async () => {
    server = await startTestServer({ dataDir: await folders.next() });
    const ada = await loginPlayer(server.baseUrl, "ada");
    const watcher = ada.watch();
    await watcher.until("a scene", () => watcher.scenes.length > 0);
    await ada.move("direction", { x: 0.5, y: 0.2 });
    await watcher.ticks(TICKS);
    const file = join(folder, "town.binpb");
    await admin(["record", "town", file], env("admin", DEV_PASSWORD));
    const asleep = await runAdmin(["record", "meadow", file], env("admin", DEV_PASSWORD));
    expect(asleep).toMatchObject({ code: 1, stderr: expect.stringContaining("does not run") });

    const result = JSON.parse(await admin(["replay", file, "--json"], {})) as object;
    expect(result).toMatchObject({ zone: "town", compared: expect.any(Number) });
    const recording = fromBinary(RecordingSchema, await readFile(file));
    expect(recording.hashes.length).toBeGreaterThanOrEqual(2);
    expect(result).toMatchObject({ compared: recording.hashes.length });

    const [first, second] = recording.hashes;
    if (!first || !second) throw new Error("nothing to tamper with");
    second.hash = (second.hash ^ 1) >>> 0;
    const tampered = join(folder, "tampered.binpb");
    await writeFile(tampered, toBinary(RecordingSchema, recording));
    const differs = await runAdmin(["replay", tampered]);
    expect(differs.code).toBe(1);
    expect(differs.stderr).toContain(
      `tick ${second.tick} is the first that differs; tick ${first.tick} is the last that is the same`,
    );
    await writeFile(tampered, toBinary(RecordingSchema, { ...recording, game: "other" }));
    const otherGame = await runAdmin(["replay", tampered]);
    expect(otherGame).toMatchObject({ code: 1, stderr: expect.stringContaining('game "other"') });
    await writeFile(tampered, "no recording at all");
    expect((await runAdmin(["replay", tampered])).stderr).toContain("is no recording");
  },
);
