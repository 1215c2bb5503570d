import { create } from "@bufbuild/protobuf";
import { ValueSchema } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import type { Value } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import type { TiledProperty } from "./format.ts";
import type { Problems } from "./problems.ts";

/** Whether there is a property of this name that is a boolean and true. */
export function isTrue(properties: readonly TiledProperty[], name: string): boolean {
  return properties.some((p) => p.name === name && p.type === "bool" && p.value === true);
}

/** A property as an attribute's value; notes a problem and gives undefined when it cannot be one. */
export function toValue(property: TiledProperty, problems: Problems): Value | undefined {
  const { type, value } = property;
  switch (type) {
    case "string":
    case "color":
    case "file":
      if (typeof value === "string")
        return create(ValueSchema, { kind: { case: "stringValue", value } });
      break;
    case "bool":
      if (typeof value === "boolean")
        return create(ValueSchema, { kind: { case: "boolValue", value } });
      break;
    case "int":
      if (Number.isSafeInteger(value)) {
        return create(ValueSchema, { kind: { case: "intValue", value: BigInt(value as number) } });
      }
      break;
    case "float":
      if (typeof value === "number")
        return create(ValueSchema, { kind: { case: "doubleValue", value } });
      break;
    default:
      problems.add(`property "${property.name}": the type ${type} cannot be an attribute`);
      return undefined;
  }
  problems.add(`property "${property.name}": ${JSON.stringify(value)} is not of type ${type}`);
  return undefined;
}

/** What a property of a spawn or a portal must be. */
export type PropertyRule =
  | { readonly kind: "text"; readonly maxLength: number }
  | { readonly kind: "number"; readonly max: number; readonly whole: boolean };

/**
 * The properties that rules allow, by name. Notes those that break their rule and those that have none:
 * a mistyped name would else be passed over without a word.
 */
export function readProperties(
  properties: readonly TiledProperty[],
  rules: Readonly<Record<string, PropertyRule>>,
  problems: Problems,
): Map<string, string | number> {
  const found = new Map<string, string | number>();
  for (const { name, value } of properties) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) {
      problems.add(`property "${name}" is unknown here; known: ${Object.keys(rules).join(", ")}`);
    } else if (!follows(rule, value)) {
      problems.add(`property "${name}": ${JSON.stringify(value)} is not ${describe(rule)}`);
    } else {
      found.set(name, value);
    }
  }
  return found;
}

function follows(rule: PropertyRule, value: unknown): value is string | number {
  switch (rule.kind) {
    case "text":
      return typeof value === "string" && value.length <= rule.maxLength;
    case "number":
      return (
        typeof value === "number" &&
        value >= 0 &&
        value <= rule.max &&
        (!rule.whole || Number.isInteger(value))
      );
  }
}

function describe(rule: PropertyRule): string {
  switch (rule.kind) {
    case "text":
      return `text of at most ${rule.maxLength} characters`;
    case "number":
      return `a ${rule.whole ? "whole " : ""}number from 0 to ${rule.max}`;
  }
}
