import { createRegistry } from "@bufbuild/protobuf";
import type { DescMethod, JsonValue } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { describe, expect, test } from "vitest";
import { BodySchema, PresenceSchema } from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { WorldService } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { COMPONENTS, failureOf, freshName } from "../../support/player.ts";
import type { TestServer } from "../../support/server.ts";

const PASSWORD = "open sesame";
const { version, upgrade, login, update, move, get, set, edit } = WorldService.method;

/** What runs in a browser: fetch by hand, and connect-web. */
export function describeBrowsers(server: () => TestServer): void {
  describe("plain fetch, in JSON", () => {
    const url = (method: DescMethod) =>
      `${server().baseUrl}/${method.parent.typeName}/${method.name}`;

    async function post(method: DescMethod, request: JsonValue, token = "") {
      const answer = await fetch(url(method), {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(token && { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(request),
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, JsonValue> };
    }

    /** A streaming call in Connect's JSON: each message in an envelope of a flag byte and a length of four. */
    async function poll(method: DescMethod, request: JsonValue, token: string) {
      const message = Buffer.from(JSON.stringify(request));
      const head = Buffer.alloc(5);
      head.writeUInt32BE(message.length, 1);
      const answer = await fetch(url(method), {
        method: "POST",
        headers: { "content-type": "application/connect+json", authorization: `Bearer ${token}` },
        body: Buffer.concat([head, message]),
      });
      expect(answer.status).toBe(200);
      const bytes = Buffer.from(await answer.arrayBuffer());
      const frames: { isEnd: boolean; body: Record<string, JsonValue> }[] = [];
      for (let at = 0; at < bytes.length;) {
        const length = bytes.readUInt32BE(at + 1);
        const text = bytes.subarray(at + 5, at + 5 + length).toString();
        frames.push({
          isEnd: (bytes[at] ?? 0) === 2,
          body: JSON.parse(text) as Record<string, JsonValue>,
        });
        at += 5 + length;
      }
      return frames;
    }

    test("[PY-1] … [PY-10] the nine calls", async () => {
      const name = freshName("Fet");
      expect((await post(version, {})).body).toMatchObject({ protocol: "v1" });
      // Reads may be made by GET, so that caches can help.
      const query = "?connect=v1&encoding=json&message=%7B%7D";
      const read = await fetch(`${url(version)}${query}`);
      expect(await read.json()).toMatchObject({ protocol: "v1" });
      expect(await post(WorldService.method.new, { name, password: PASSWORD })).toMatchObject({
        status: 200,
        body: { character: name },
      });
      const { body } = await post(login, { name, password: PASSWORD });
      const token = body["token"] as string;
      const [scene, end, ...rest] = await poll(update, { once: true }, token);
      expect(scene?.body).toMatchObject({ scene: { zone: "town" } });
      expect([end?.isEnd, end?.body, rest]).toEqual([true, {}, []]);
      const first = (await poll(upgrade, { platform: "typescript" }, token))[0];
      expect(first?.body).toHaveProperty("manifest");
      expect((await post(move, { direction: {}, sequence: 3 }, token)).body).toMatchObject({
        moved: true,
        sequence: 3,
      });
      await post(set, { attribute: "steps", add: { intValue: "9007199254740993" } }, token);
      expect((await post(get, { attributes: ["steps"] }, token)).body).toEqual({
        attributes: { steps: { intValue: "9007199254740993" } },
      });
      const asGet = `${url(get)}?connect=v1&encoding=json&message=${encodeURIComponent('{"attributes":["name"]}')}`;
      const answer = await fetch(asGet, { headers: { authorization: `Bearer ${token}` } });
      expect(await answer.json()).toEqual({ attributes: { name: { stringValue: name } } });
      expect(await post(edit, { commands: [] }, token)).toMatchObject({
        status: 403,
        body: { code: "permission_denied" },
      });
    });

    test("errors in JSON name the reason in words", async () => {
      const { status, body } = await post(WorldService.method.new, {
        name: "",
        password: PASSWORD,
      });
      expect(status).toBe(400);
      expect(body).toMatchObject({
        code: "invalid_argument",
        details: [
          {
            type: "realmwire.v1.ErrorDetail",
            debug: {
              reason: "ERROR_REASON_INVALID_FIELDS",
              violations: expect.arrayContaining([
                expect.objectContaining({ field: "name" }),
              ]) as unknown,
            },
          },
        ],
      });
      const refused = await post(get, {});
      expect(refused).toMatchObject({ status: 401, body: { code: "unauthenticated" } });
      const nonsense = await post(move, { teleport: true });
      expect(nonsense.status).toBeGreaterThanOrEqual(400);
      expect(nonsense.status).toBeLessThan(500);
    });
  });

  describe("connect-web, as in a browser", () => {
    test.each([
      ["connect in JSON", createConnectTransport, false],
      ["connect", createConnectTransport, true],
      ["grpc-web", createGrpcWebTransport, true],
    ] as const)("[PY-1] … [PY-10] the nine calls over %s", async (_, createTransport, isBinary) => {
      let token = "";
      const world = createClient(
        WorldService,
        createTransport({
          baseUrl: server().baseUrl,
          useBinaryFormat: isBinary,
          jsonOptions: { registry: createRegistry(BodySchema, PresenceSchema, ...COMPONENTS) },
          interceptors: [
            (next) => (request) => {
              if (token !== "") request.header.set("authorization", `Bearer ${token}`);
              return next(request);
            },
          ],
        }),
      );
      const name = freshName("Web");
      expect((await world.version({})).game).toBe("meadow");
      expect((await failureOf(world.get({}))).reason).toBe(ErrorReason.LOGIN_REQUIRED);
      await world.new({ name, password: PASSWORD });
      token = (await world.login({ name, password: PASSWORD })).token;
      let count = 0;
      for await (const message of world.update({})) {
        expect(message.scene === undefined).toBe(count > 0);
        if (++count === 4) break;
      }
      for await (const { scene } of world.update({ once: true })) expect(scene?.zone).toBe("town");
      const direction = { $typeName: "realmwire.v1.Vector" as const, x: 0, y: 0, z: 0 };
      const moved = await world.move({ kind: { case: "direction", value: direction } });
      expect(moved.moved).toBe(true);
      const value = { kind: { case: "stringValue" as const, value: "web" } };
      await world.set({ attribute: "mood", change: { case: "value", value } });
      const { attributes } = await world.get({ attributes: ["mood"] });
      expect(attributes["mood"]?.kind.value).toBe("web");
      expect((await failureOf(world.edit({ undoRevision: 2 }))).reason).toBe(
        ErrorReason.ROLE_TOO_LOW,
      );
      let bytes = 0;
      for await (const { part } of world.upgrade({ platform: "typescript" })) {
        if (part.case === "chunk") bytes += part.value.data.length;
      }
      expect(bytes).toBeGreaterThan(50_000);
    });

    test("a page of another origin may call and read errors", async () => {
      const origin = "https://game.example";
      const url = `${server().baseUrl}/realmwire.v1.WorldService/Get`;
      const asked = await fetch(url, {
        method: "OPTIONS",
        headers: {
          origin,
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization,content-type,connect-protocol-version",
        },
      });
      expect(asked.ok).toBe(true);
      expect(asked.headers.get("access-control-allow-origin")).toMatch(
        /^(\*|https:\/\/game.example)$/,
      );
      expect(asked.headers.get("access-control-allow-headers")?.toLowerCase()).toContain(
        "authorization",
      );
      const answer = await fetch(url, {
        method: "POST",
        headers: { origin, "content-type": "application/json" },
        body: "{}",
      });
      expect(answer.status).toBe(401);
      expect(answer.headers.get("access-control-allow-origin")).not.toBeNull();
    });
  });
}
