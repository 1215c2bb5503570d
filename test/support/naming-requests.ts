import {
  create,
  type DescField,
  type DescMessage,
  getOption,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import { field as fieldRules } from "../../gen/ts/buf/validate/validate_pb.ts";

/** How deep messages stand in each other, at most. */
const MAX_DEPTH = 4;

/**
 * Requests that name something wherever a request of this type can: every text in them is the name. One for each choice
 * of the first `oneof` that is met on the way down; numbers and flags stay unset. None for a type that has no room for a name.
 */
export function namingRequests(desc: DescMessage, name: string): Message[] {
  return fillings(desc, name, MAX_DEPTH)
    .filter(({ names }) => names > 0)
    .map(({ message }) => message);
}

interface Filling {
  readonly message: Message;
  /** How often the name stands in it. */
  readonly names: number;
}

function fillings(desc: DescMessage, name: string, depth: number): Filling[] {
  if (depth === 0) return [{ message: create(desc), names: 0 }];
  const free = desc.fields.filter(({ oneof }) => oneof === undefined);
  const choices = desc.oneofs.flatMap(({ fields }) => fields);
  const sets = choices.length === 0 ? [free] : choices.map((choice) => [...free, choice]);
  return sets.flatMap((fields) => fill(desc, fields, name, depth));
}

/** One message for each way in which the fields that have several ways can be filled, the others in their first. */
function fill(
  desc: DescMessage,
  fields: readonly DescField[],
  name: string,
  depth: number,
): Filling[] {
  const ways = fields.map((field) => ({ field, values: valuesOf(field, name, depth) }));
  const count = Math.max(1, ...ways.map(({ values }) => values.length));
  return Array.from({ length: count }, (_, i) => {
    const message = create(desc);
    const target = reflect(desc, message);
    let names = 0;
    for (const { field, values } of ways) {
      const value = values[i] ?? values[0];
      if (value === undefined) continue;
      put(target, field, value.content);
      names += value.names;
    }
    return { message, names };
  });
}

interface Content {
  readonly content: string | Message;
  readonly names: number;
}

function valuesOf(field: DescField, name: string, depth: number): Content[] {
  const isText = field.scalar === ScalarType.STRING;
  if (field.fieldKind === "map") return [];
  if (isText) return isFormatted(field) ? [] : [{ content: name, names: 1 }];
  const desc = field.message;
  if (desc === undefined) return [];
  const inner = fillings(desc, name, depth - 1).map(({ message, names }) => ({
    content: message,
    names,
  }));
  const naming = inner.filter(({ names }) => names > 0);
  if (naming.length > 0) return naming;
  return getOption(field, fieldRules).required ? inner.slice(0, 1) : [];
}

/** Whether a text has to be an address or the like. */
function isFormatted(field: DescField): boolean {
  const { type } = getOption(field, fieldRules);
  return type.case === "string" && type.value.wellKnown.case !== undefined;
}

function put(target: ReflectMessage, field: DescField, content: string | Message): void {
  const value =
    typeof content === "string" || field.message === undefined
      ? content
      : reflect(field.message, content);
  if (field.fieldKind === "list") target.get(field).add(value);
  else target.set(field, value);
}
