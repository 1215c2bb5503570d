import { type DescField, getOption } from "@bufbuild/protobuf";
import {
  field as fieldOption,
  type FieldRules,
  Ignore,
} from "../../gen/ts/buf/validate/validate_pb.ts";

/** What a request's field may hold. What is not named is not bounded but by its type. */
export interface Bounds {
  /** Whether the field has to be set. */
  readonly required: boolean;
  /** Whether the field's zero value is free of the other bounds. */
  readonly zeroIsFree: boolean;
  /** Characters, that is Unicode code points. */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly isEmail?: boolean;
  /** Bytes, exactly. */
  readonly byteLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  /** Of each item of a list. */
  readonly items?: Bounds;
  /** Rules of its own, in words. */
  readonly words: readonly string[];
}

/** Rules that {@link boundsOf} knows, by their names in TypeScript. One of another name would be left out of the reference unseen. */
const KNOWN: ReadonlySet<string> = new Set([
  ...["minLen", "maxLen", "pattern", "email", "len"],
  ...["minItems", "maxItems", "items", "maxPairs", "gte", "lte", "definedOnly", "notIn"],
]);

/** The bounds of a field, by its `buf.validate` rules. Throws an `Error` that names the field with a rule that is not known here. */
export function boundsOf(field: DescField): Bounds {
  return readRules(getOption(field, fieldOption), field.toString());
}

function readRules(rules: FieldRules, where: string): Bounds {
  const { type } = rules;
  refuseUnknown(type, where);
  const common = {
    required: rules.required,
    zeroIsFree: rules.ignore === Ignore.IF_ZERO_VALUE,
    words: rules.cel.map(({ message }) => message),
  };
  switch (type.case) {
    case undefined:
      return common;
    case "string": {
      const { minLen, maxLen, pattern, wellKnown } = type.value;
      return {
        ...common,
        ...(minLen > 0n && { minLength: Number(minLen) }),
        ...(maxLen > 0n && { maxLength: Number(maxLen) }),
        ...(pattern !== "" && { pattern }),
        ...(wellKnown.case === "email" && { isEmail: true }),
      };
    }
    case "bytes":
      return { ...common, byteLength: Number(type.value.len) };
    case "repeated": {
      const { minItems, maxItems, items } = type.value;
      return {
        ...common,
        ...(minItems > 0n && { minItems: Number(minItems) }),
        ...(maxItems > 0n && { maxItems: Number(maxItems) }),
        ...(items && { items: readRules(items, where) }),
      };
    }
    case "map":
      return { ...common, maxItems: Number(type.value.maxPairs) };
    case "int32":
    case "uint32":
    case "double": {
      const { greaterThan, lessThan } = type.value;
      return {
        ...common,
        ...(greaterThan.case === "gte" && { minimum: greaterThan.value }),
        ...(lessThan.case === "lte" && { maximum: lessThan.value }),
      };
    }
    case "duration": {
      const { greaterThan, lessThan } = type.value;
      const least = greaterThan.case === "gte" ? Number(greaterThan.value.seconds) : undefined;
      const most = lessThan.case === "lte" ? Number(lessThan.value.seconds) : undefined;
      return { ...common, words: [...common.words, range(least, most, " seconds")] };
    }
    // Which values are left is said by the field's comment.
    case "enum":
      return common;
    default:
      throw new Error(`${where}: rules for ${type.case} are not known to the reference`);
  }
}

function refuseUnknown({ case: kind, value: rules }: FieldRules["type"], where: string): void {
  // What is not set is no property of its own.
  for (const [name, value] of Object.entries(rules ?? {})) {
    if (name.startsWith("$") || (Array.isArray(value) && value.length === 0)) continue;
    const isChoice = typeof value === "object" && value !== null && "case" in value;
    const rule = isChoice ? (value.case as string | undefined) : name;
    if (rule === undefined || KNOWN.has(rule)) continue;
    throw new Error(`${where}: the rule ${kind}.${rule} is not known to the reference`);
  }
}

/** The bounds in words. Empty: there are none. */
export function boundsInWords(bounds: Bounds): string {
  const { minLength, maxLength, minimum, maximum, minItems, maxItems } = bounds;
  const parts = [
    bounds.required || (minItems ?? 0) > 0 ? "required" : "",
    range(minLength, maxLength, " characters"),
    bounds.byteLength === undefined ? "" : `${bounds.byteLength} bytes`,
    range(minimum, maximum, ""),
    range(minItems, maxItems, " items"),
    bounds.items ? `each ${boundsInWords(bounds.items)}` : "",
    bounds.isEmail ? "an e-mail address" : "",
    bounds.pattern === undefined ? "" : `\`${bounds.pattern}\``,
    ...bounds.words,
    bounds.zeroIsFree ? "or empty" : "",
  ];
  return parts.filter((part) => part !== "").join("; ");
}

function range(least: number | undefined, most: number | undefined, unit: string): string {
  const text = (value: number) => value.toLocaleString("en");
  if (least !== undefined && most !== undefined) return `${text(least)} to ${text(most)}${unit}`;
  if (most !== undefined) return `at most ${text(most)}${unit}`;
  return least === undefined ? "" : `at least ${text(least)}${unit}`;
}
