import {
  create,
  type DescMessage,
  getOption,
  type Message,
  type Registry,
} from "@bufbuild/protobuf";
import { pathToString, usedTypes } from "@bufbuild/protobuf/reflect";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import { message as messageRules } from "../../../gen/ts/buf/validate/validate_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../../errors.ts";

/** How many broken rules an error lists. gRPC sends them in a header, and clients bound its size. */
export const MAX_VIOLATIONS = 20;
/** Characters of a field's path or of a description that an error carries: a path can hold a map's key, which the caller chose. */
export const MAX_VIOLATION_TEXT = 200;

/** Holds requests against the rules in their protos. */
export interface RequestValidator {
  /** Throws a `DomainError` `INVALID_FIELDS` that lists the rules which the message breaks. */
  validate(schema: DescMessage, message: Message): void;
  /** Prepares the rules of a message and of all messages in it. Throws an `Error` when a rule itself is wrong. */
  prepare(schema: DescMessage): void;
}

/** Makes a validator. The registry is for what rules find inside `google.protobuf.Any`. */
export function createRequestValidator(registry?: Registry): RequestValidator {
  const validator = createValidator(registry && { registry });
  return {
    validate(schema, message) {
      const result = validator.validate(schema, message);
      if (result.kind === "valid") return;
      if (result.kind === "error") throw result.error;
      throw invalidFields(schema, result.violations);
    },
    prepare(schema) {
      for (const type of [schema, ...usedTypes(schema)]) {
        if (type.kind !== "message") continue;
        const result = validator.validate(type, create(type));
        if (result.kind !== "error") continue;
        throw new Error(`a rule of ${type.typeName} is wrong`, { cause: result.error });
      }
    },
  };
}

function invalidFields(schema: DescMessage, broken: readonly Violation[]): DomainError {
  const violations = broken.slice(0, MAX_VIOLATIONS).map((violation) => ({
    field: shorten(fieldOf(schema, violation)),
    description: shorten(violation.forKey ? `key: ${violation.message}` : violation.message),
  }));
  const first = violations[0];
  const where = first?.field ? `${first.field}: ` : "";
  const rest = broken.length > 1 ? ` (and ${broken.length - 1} more)` : "";
  return new DomainError(
    ErrorReason.INVALID_FIELDS,
    `${where}${first?.description ?? "the request breaks a rule"}${rest}`,
    { violations },
  );
}

/** The path of the field that broke a rule. A rule about several fields of a message names the first of them, by its oneof if it has one. */
function fieldOf(schema: DescMessage, { field: path, ruleId }: Violation): string {
  const where = pathToString(path);
  if (ruleId !== "message.oneof") return where;
  const message = path.findLast((part) => part.kind === "field")?.message ?? schema;
  const [rule] = getOption(message, messageRules).oneof;
  const first = message.fields.find(({ name }) => name === rule?.fields[0]);
  const name = first?.oneof?.name ?? first?.name ?? "";
  return where === "" ? name : `${where}.${name}`;
}

function shorten(text: string): string {
  if (text.length <= MAX_VIOLATION_TEXT) return text;
  return `${text.slice(0, MAX_VIOLATION_TEXT - 1).toWellFormed()}…`;
}
