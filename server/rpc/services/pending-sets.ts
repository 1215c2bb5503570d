import { create, equals } from "@bufbuild/protobuf";
import { ValueSchema } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import type { Value } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import type { SetRequest } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";

/** A change that was carried out and is not committed yet. */
export interface PendingSet {
  /** It is stored, and so is every change of the attribute before it. */
  committed(): void;
  /**
   * It could not be stored. What comes back takes it, and nothing else, out of the attribute, whose value is
   * `present` now; undefined when there is nothing to take back.
   */
  failed(present: Value): SetRequest["change"] | undefined;
}

/**
 * Changes of attributes on their way to the store. Several may be under way for one attribute, and each must be taken
 * back as if it had never been, whatever was done before and after it. Attributes at rest take no memory.
 */
export interface PendingSets {
  /** Notes a change that was just carried out: the value was `before`, and is `after`. */
  add(key: string, change: SetRequest["change"], before: Value, after: Value): PendingSet;
  /** Attributes with changes under way. */
  readonly size: number;
}

interface Applied {
  readonly change: SetRequest["change"];
  /** The value behind this change. */
  after: Value;
}

/** No changes yet. */
export function createPendingSets(): PendingSets {
  const lines = new Map<string, { base: Value; readonly changes: Applied[] }>();
  return {
    add(key, change, before, after) {
      const line = lines.get(key) ?? { base: before, changes: [] };
      lines.set(key, line);
      const applied: Applied = { change, after };
      line.changes.push(applied);
      const tidy = () => {
        if (line.changes.length === 0 && lines.get(key) === line) lines.delete(key);
      };
      return {
        committed() {
          const at = line.changes.indexOf(applied);
          if (at < 0) return;
          line.base = applied.after;
          line.changes.splice(0, at + 1);
          tidy();
        },
        failed(present) {
          const at = line.changes.indexOf(applied);
          // A later change was stored, and this one with it.
          if (at < 0) return undefined;
          const expected = line.changes.at(-1)?.after ?? applied.after;
          line.changes.splice(at, 1);
          let value = line.base;
          for (const other of line.changes) {
            value = carriedOut(other, value);
            other.after = value;
          }
          tidy();
          if (equals(ValueSchema, present, expected)) return { case: "value", value };
          // The game itself changed it meanwhile: an addition can be taken out of that, a value cannot.
          return change.case === "add" ? { case: "add", value: negated(change.value) } : undefined;
        },
      };
    },
    get size() {
      return lines.size;
    },
  };
}

/** The value behind a change that is carried out on another one than at first. */
function carriedOut({ change, after }: Applied, before: Value): Value {
  return change.case === "add" ? sum(before, change.value) : after;
}

function sum({ kind }: Value, { kind: added }: Value): Value {
  if (kind.case === "intValue" && added.case === "intValue") {
    return create(ValueSchema, { kind: { case: "intValue", value: kind.value + added.value } });
  }
  const value = Number(kind.value) + Number(added.value);
  return create(ValueSchema, { kind: { case: "doubleValue", value } });
}

function negated({ kind }: Value): Value {
  if (kind.case === "intValue" || kind.case === "doubleValue") {
    const value = { case: kind.case, value: -kind.value } as Value["kind"];
    return create(ValueSchema, { kind: value });
  }
  throw new Error(`an addition of ${kind.case} cannot be taken back`);
}
