import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { fromJson } from "@bufbuild/protobuf";
import type { DescMethod, JsonValue } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { Health } from "../../../gen/ts/grpc/health/v1/health_pb.ts";
import {
  EditResponseSchema,
  GetResponseSchema,
  InputResponseSchema,
  LoginResponseSchema,
  MoveResponseSchema,
  SetResponseSchema,
  WorldService,
} from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { freshName } from "../../support/player.ts";
import { isInstalled, requireOrSkip } from "../../support/require.ts";
import { DEV_PASSWORD, root } from "../../support/server.ts";
import type { TestServer } from "../../support/server.ts";

const run = promisify(execFile);
const PASSWORD = "open sesame";
const { version, upgrade, login, update, move, input, get, set, edit } = WorldService.method;

/** A program that makes a call, with one message or with a list of them: its output as JSON, one item for each message. */
type Caller = (
  method: DescMethod,
  request: JsonValue,
  token?: string,
) => Promise<{ messages: JsonValue[]; error: string }>;

async function runProgram(program: string, args: readonly string[]) {
  try {
    const { stdout } = await run(program, args, { cwd: root, maxBuffer: 64 * 1024 * 1024 });
    return { messages: parseMessages(stdout), error: "" };
  } catch (error) {
    const { stderr = "", stdout = "" } = error as { stderr?: string; stdout?: string };
    return { messages: parseMessages(stdout), error: stderr };
  }
}

/** What such programs take as data: several messages stand one after the other. */
function toData(request: JsonValue): string {
  const messages = Array.isArray(request) ? request : [request];
  return messages.map((message) => JSON.stringify(message)).join("\n");
}

/** Several JSON texts one after the other, each beginning with a brace in the first column. */
function parseMessages(text: string): JsonValue[] {
  const texts = text.split(/\n(?=\{)/).filter((part) => part.trim() !== "");
  return texts.map((part) => JSON.parse(part) as JsonValue);
}

/** The nine calls, and a stream of moves, by a program that learns the schema from the server's reflection. */
async function expectNineCalls(call: Caller): Promise<void> {
  const one = async (method: DescMethod, request: JsonValue, token?: string) => {
    const { messages, error } = await call(method, request, token);
    expect(error, method.name).toBe("");
    expect(messages, method.name).toHaveLength(1);
    return messages[0] as JsonValue;
  };
  expect(await one(Health.method.check, {})).toEqual({ status: "SERVING" });
  expect(await one(version, {})).toMatchObject({ protocol: "v1", game: "meadow" });
  const name = freshName("Prg");
  await one(WorldService.method.new, { name, password: PASSWORD });
  const session = fromJson(LoginResponseSchema, await one(login, { name, password: PASSWORD }));
  expect(session).toMatchObject({ character: name, account: { name } });
  const { token } = session;

  const scene = (await one(update, { once: true }, token)) as {
    scene: { zone: string };
    entities: { name: string; components: { "@type": string }[] }[];
  };
  expect(scene.scene.zone).toBe("town");
  const self = scene.entities.find((entity) => entity.name === name);
  expect(self?.components.map((component) => component["@type"])).toEqual(
    expect.arrayContaining(["/realmwire.v1.Body", "/meadow.v1.Creature"]),
  );

  const moved = fromJson(MoveResponseSchema, await one(move, { direction: {} }, token));
  expect(moved.moved).toBe(true);
  const still = (sequence: number) => ({ direction: {}, sequence });
  const inputs = [{ moves: [still(1)] }, { moves: [still(2), still(3)] }];
  const taken = fromJson(InputResponseSchema, await one(input, inputs, token));
  expect(taken).toMatchObject({ taken: 3, refused: 0 });
  const asked = { attribute: "mood", value: { stringValue: "zufrieden 😌" } };
  const value = fromJson(SetResponseSchema, await one(set, asked, token)).value?.kind.value;
  expect(value).toBe("zufrieden 😌");
  const got = await one(get, { attributes: ["mood", "gold"] }, token);
  const { attributes } = fromJson(GetResponseSchema, got);
  expect(attributes["mood"]?.kind.value).toBe("zufrieden 😌");
  expect(attributes["gold"]?.kind.value).toBe(10n);

  const builder = fromJson(
    LoginResponseSchema,
    await one(login, { name: "builder", password: DEV_PASSWORD }),
  );
  const region = { x: 0, y: 0, width: 1, height: 1 };
  const order = { commands: [{ setBarriers: { region, blocked: true } }], dryRun: true };
  const edited = fromJson(EditResponseSchema, await one(edit, order, builder.token));
  expect(edited.revision).toBeGreaterThan(1);

  const image = await call(upgrade, { platform: "typescript" });
  expect(image.error).toBe("");
  expect(image.messages[0]).toHaveProperty("manifest.files");
  expect(image.messages.length).toBeGreaterThan(20);

  const refused = await call(get, { name: "no-such-thing" }, token);
  expect(refused.messages).toEqual([]);
  expect(refused.error).toContain("no-such-thing");
}

/** How grpcurl is told whether to use TLS. */
function howToConnect({ certFile }: TestServer): string[] {
  return certFile === undefined ? ["-plaintext"] : ["-cacert", certFile];
}

/** Programs for the command line, which know no schema but what the server tells them. */
export function describePrograms(
  server: () => TestServer,
  { secured }: { readonly secured: boolean },
): void {
  describe("buf curl, without a schema", () => {
    test.each<[string, string[]]>([
      ["connect", []],
      ["grpc", []],
      ["grpcweb", []],
      // With TLS the handshake tells.
      ...(secured ? [] : ["connect", "grpcweb"]).map((protocol): [string, string[]] => [
        protocol,
        ["--http2-prior-knowledge"],
      ]),
    ])(
      "[PY-1] … [PY-10] the nine calls: --protocol %s %s",
      { timeout: 60_000 },
      async (protocol, flags) => {
        const buf = join(root, "node_modules/.bin/buf");
        await expectNineCalls((method, request, token) =>
          runProgram(buf, [
            "curl",
            ...["--protocol", protocol],
            ...flags,
            ...(secured ? ["--cacert", server().certFile ?? ""] : []),
            ...(token ? ["--header", `authorization: Bearer ${token}`] : []),
            ...["--data", toData(request)],
            `${server().baseUrl}/${method.parent.typeName}/${method.name}`,
          ]),
        );
      },
    );
  });

  test("[PY-1] … [PY-10] grpcurl, without a schema: the nine calls", async (context) => {
    requireOrSkip(context, await isInstalled("grpcurl"), "grpcurl");
    await expectNineCalls((method, request, token) =>
      runProgram("grpcurl", [
        ...howToConnect(server()),
        ...(token ? ["-H", `authorization: Bearer ${token}`] : []),
        ...["-d", toData(request)],
        `127.0.0.1:${server().port}`,
        `${method.parent.typeName}/${method.name}`,
      ]),
    );
    const { stdout } = await run("grpcurl", [
      ...howToConnect(server()),
      `127.0.0.1:${server().port}`,
      "describe",
      "meadow.v1.Purse",
    ]);
    expect(stdout).toContain("int64 gold = 1");
  });
}
