import { createRegistry, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { Validator } from "@seriousme/openapi-schema-validator";
import { beforeAll, expect, test } from "vitest";
import {
  createSchemaChecker,
  type Operation,
  operationsOf,
  readOpenApi,
} from "../../test/support/openapi.ts";
import { loadProtocol, type Protocol } from "./protocol.ts";

let document: JsonObject;
let operations: readonly Operation[];
let protocol: Protocol;
let isSchemaValid: (operation: Operation, request: JsonObject) => boolean;

beforeAll(async () => {
  document = await readOpenApi();
  protocol = await loadProtocol();
  operations = operationsOf(document);
  const check = createSchemaChecker(document, { closed: true });
  isSchemaValid = (operation, request) => check(operation.requestSchema, request).length === 0;
});

/** What the server's own rules say of a request. */
function isValid({ path }: Operation, request: JsonObject): boolean {
  const call = protocol.calls.find(
    ({ method }) => path === `/${method.parent.typeName}/${method.name}`,
  );
  if (call === undefined) throw new Error(`${path} is no call`);
  const registry = createRegistry(...protocol.files);
  const message = fromJson(call.method.input, request, { registry });
  return createValidator({ registry }).validate(call.method.input, message).kind === "valid";
}

test("the document is OpenAPI 3.1", async () => {
  const validator = new Validator();
  expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
  expect(validator.version).toBe("3.1");
  const broken = { ...document, paths: { "no slash": {} } };
  expect((await new Validator().validate(broken)).valid).toBe(false);
});

test("every unary call stands in it, by POST, and by GET where nothing is changed", () => {
  const unary = protocol.calls.filter(({ method }) => method.methodKind === "unary");
  expect(unary.length).toBeGreaterThan(20);
  const posted = operations.filter(({ verb }) => verb === "post").map(({ path }) => path);
  expect(posted.toSorted()).toEqual(
    unary.map(({ method }) => `/${method.parent.typeName}/${method.name}`).toSorted(),
  );
  const got = operations.filter(({ verb }) => verb === "get").map(({ path }) => path);
  expect(got).toContain("/realmwire.v1.WorldService/Get");
  expect(got).not.toContain("/realmwire.v1.WorldService/Set");
});

test("every request that it shows is valid, by its own schemas and by the server's rules", () => {
  const broken = operations.filter(
    (operation) =>
      !isSchemaValid(operation, operation.example) || !isValid(operation, operation.example),
  );
  const hint = "put a request of the call into request-example.ts, and run `npm run generate`";
  expect(
    broken.map(({ id }) => id),
    hint,
  ).toEqual([]);
});

/** Requests at and beyond bounds, by call. */
const BOUNDS: readonly [call: string, request: JsonObject, isValid: boolean][] = [
  ["WorldService/New", { name: "ab", password: "12345678" }, true],
  ["WorldService/New", { name: "a", password: "12345678" }, false],
  ["WorldService/New", { name: "a".repeat(25), password: "12345678" }, false],
  ["WorldService/New", { name: "ab" }, false],
  ["WorldService/New", { name: "ab", password: "12345678", email: "" }, true],
  ["WorldService/New", { name: "ab", password: "12345678", email: "nobody" }, false],
  ["WorldService/New", { name: "ab", password: "12345678", email: "a@example.org" }, true],
  ["WorldService/Move", {}, false],
  ["WorldService/Move", { offset: { x: 1 } }, true],
  ["WorldService/Move", { moves: [{ direction: { x: 1 } }] }, true],
  ["WorldService/Move", { moves: [{}] }, false],
  ["WorldService/Move", { offset: { x: 1 }, moves: [{ direction: { x: 1 } }] }, false],
  ["WorldService/Move", { moves: Array.from({ length: 33 }, () => ({ offset: {} })) }, false],
  ["WorldService/Get", { attributes: Array.from({ length: 64 }, (_, i) => `a${i}`) }, true],
  ["WorldService/Get", { attributes: Array.from({ length: 65 }, (_, i) => `a${i}`) }, false],
  ["WorldService/Get", { attributes: [""] }, false],
  ["WorldService/Set", { attribute: "mood" }, false],
  ["WorldService/Set", { attribute: "gold", add: { intValue: "1" } }, true],
  ["WorldService/Set", { attribute: "gold", add: { intValue: 1 } }, true],
  ["ZoneService/ListZones", { pageSize: 100 }, true],
  ["ZoneService/ListZones", { pageSize: 101 }, false],
  ["ZoneService/ListZones", { pageSize: -1 }, false],
  ["ReleaseService/PublishRelease", { platform: "x", version: "1.0" }, false],
  ["ReleaseService/PublishRelease", { platform: "x", version: "1.0.0", oldestWorking: "" }, true],
  ["ReleaseService/PublishRelease", { platform: "x", version: "1.0.0", oldestWorking: "1" }, false],
  ["WorldService/Edit", { commands: [{ removeObject: "a" }] }, true],
  ["WorldService/Edit", { commands: [{ putObject: { name: "a", kind: "b" } }] }, false],
  ["WorldService/Edit", { commands: [{ removeObject: "a", removeSpawn: "a" }] }, false],
];

test.each(BOUNDS)(
  "%s, request %#: the schema and the server's rules say the same",
  (call, request, ok) => {
    const operation = operations.find(({ path }) => path === `/realmwire.v1.${call}`);
    if (operation === undefined) throw new Error(`${call} is not in the document`);
    expect(isSchemaValid(operation, request)).toBe(ok);
    // Two members of a oneof do not even become a message.
    const oneofTwice = "commands" in request && JSON.stringify(request).includes("removeSpawn");
    if (oneofTwice) expect(() => isValid(operation, request)).toThrow(/oneof/);
    else expect(isValid(operation, request)).toBe(ok);
  },
);
