import {
  create,
  fromBinary,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Registry,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { storableJson } from "./storable-text.ts";

const TYPE_URL_PREFIX = "type.googleapis.com/";

/** Components whose JSON is remembered: most characters that are saved every second only moved. */
const MAX_REMEMBERED = 10_000;

/** Turns the components of a record into what the database keeps, and back. */
export interface ComponentCodec {
  /** The full names of the types that the registry has. Only these keys of a stored object are replaced by a save. */
  readonly knownTypes: readonly string[];
  /** JSON text of an object from full type name to Protobuf JSON. Throws when the registry lacks a type. */
  encode(components: readonly Any[]): string;
  /** The components whose types the registry has, ordered by type. Throws when a stored component does not fit its type. */
  decode(stored: JsonObject): Any[];
}

/** Creates a codec for the message types of a registry. */
export function createComponentCodec(registry: Registry): ComponentCodec {
  const knownTypes = [...registry].filter((t) => t.kind === "message").map((t) => t.typeName);

  const remembered = new Map<string, string>();

  /** An entry of the object, as JSON text. */
  function entryOf(component: Any): string {
    const { buffer, byteOffset, length } = component.value;
    const key = `${component.typeUrl} ${Buffer.from(buffer, byteOffset, length).toString("latin1")}`;
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const [type, json] = encodeOne(component);
    const entry = `${JSON.stringify(type)}:${storableJson(json)}`;
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(key, entry);
    return entry;
  }

  function encodeOne(component: Any): [string, JsonValue] {
    const type = component.typeUrl.slice(component.typeUrl.lastIndexOf("/") + 1);
    const schema = registry.getMessage(type);
    if (!schema) throw new Error(`The store's registry has no type "${type}".`);
    const message = fromBinary(schema, component.value);
    return [type, toJson(schema, message, { registry, useProtoFieldName: true })];
  }

  function decodeOne(type: string, json: JsonObject[string]): Any | undefined {
    const schema = registry.getMessage(type);
    if (!schema) return undefined;
    const message = fromJson(schema, json, { registry, ignoreUnknownFields: true });
    return create(AnySchema, {
      typeUrl: TYPE_URL_PREFIX + type,
      value: toBinary(schema, message),
    });
  }

  return {
    knownTypes,
    encode(components) {
      return `{${components.map(entryOf).join(",")}}`;
    },
    decode(stored) {
      return Object.entries(stored)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([type, json]) => decodeOne(type, json))
        .filter((component) => component !== undefined);
    },
  };
}
