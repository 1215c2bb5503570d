import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { root } from "./server.ts";

/** One way to make a call, as the document tells it. */
export interface Operation {
  readonly path: string;
  readonly verb: "get" | "post";
  readonly id: string;
  /** Whether a token has to be sent. */
  readonly needsLogin: boolean;
  readonly role: string;
  /** The request that stands in the document. */
  readonly example: JsonObject;
  /** Pointers to the schemas of the request and, by HTTP status, of the answers. */
  readonly requestSchema: string;
  readonly answerSchemas: Readonly<Record<string, string>>;
  /** Reasons of errors by HTTP status. */
  readonly reasons: Readonly<Record<string, readonly string[]>>;
}

interface MediaType {
  readonly schema: { readonly $ref: string };
  readonly example?: JsonObject;
}
interface Content {
  readonly content: { readonly "application/json": MediaType };
}
interface RawOperation {
  readonly operationId: string;
  readonly security: readonly JsonObject[];
  readonly "x-access": { readonly role: string };
  readonly parameters: readonly ({ readonly in?: string } & Partial<Content>)[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content & { "x-reasons"?: readonly string[] }>>;
}

/** The document as it is committed. */
export async function readOpenApi(): Promise<JsonObject> {
  const text = await readFile(join(root, "docs/reference/openapi.json"), "utf8");
  return JSON.parse(text) as JsonObject;
}

/** Every operation of a document. */
export function operationsOf(document: JsonObject): Operation[] {
  const paths = document["paths"] as unknown as Record<string, Record<string, RawOperation>>;
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([verb, raw]): Operation => {
      const parameter = raw.parameters.find(({ content }) => content !== undefined);
      const request = raw.requestBody ?? (parameter as Content | undefined);
      if (request === undefined) throw new Error(`${raw.operationId} has no request`);
      const { schema, example } = request.content["application/json"];
      const answers = Object.entries(raw.responses);
      return {
        path,
        verb: verb as Operation["verb"],
        id: raw.operationId,
        needsLogin: raw.security.every((one) => Object.keys(one).length > 0),
        role: raw["x-access"].role,
        example: example ?? {},
        requestSchema: schema.$ref,
        answerSchemas: Object.fromEntries(
          answers.map(([status, answer]) => [
            status,
            answer.content["application/json"].schema.$ref,
          ]),
        ),
        reasons: Object.fromEntries(
          answers.map(([status, answer]) => [status, answer["x-reasons"] ?? []]),
        ),
      };
    }),
  );
}

/** Holds values against the schemas of a document; the answer lists what is wrong. With `closed`, fields that the document does not name are wrong. */
export function createSchemaChecker(
  document: JsonObject,
  { closed }: { readonly closed: boolean },
): (pointer: string, value: JsonValue) => string[] {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: false });
  formats.default(ajv);
  for (const format of ["uint32", "uint64"]) ajv.addFormat(format, true);
  ajv.addVocabulary(["x-attribute", "components"]);
  const components = document["components"] as JsonObject;
  const schemas = closed ? close(components["schemas"] ?? {}) : (components["schemas"] ?? {});
  ajv.addSchema({ components: { schemas } }, "openapi.json");
  const validators = new Map<string, ValidateFunction>();
  return (pointer, value) => {
    let validate = validators.get(pointer);
    if (validate === undefined) {
      validate = ajv.compile({ $ref: `openapi.json${pointer}` });
      validators.set(pointer, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

/** Schemas whose objects have no fields besides those that are named. */
function close(schema: JsonValue): JsonValue {
  if (Array.isArray(schema)) return schema.map(close);
  if (schema === null || typeof schema !== "object") return schema;
  const entries = Object.entries(schema).map(([key, value]) => [key, close(value)]);
  const copy = Object.fromEntries(entries) as JsonObject;
  const isOpenObject = schema["type"] === "object" && schema["additionalProperties"] === undefined;
  return isOpenObject ? { ...copy, additionalProperties: false } : copy;
}
