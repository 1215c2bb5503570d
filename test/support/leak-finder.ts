import type { DescMessage, Message, Registry } from "@bufbuild/protobuf";
import { createRegistry, isMessage } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { ReflectMessage } from "@bufbuild/protobuf/reflect";
import { type Any, AnySchema, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type Body,
  BodySchema,
  EntityKind,
  EntitySchema,
} from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { MapObjectSchema } from "../../gen/ts/realmwire/v1/map_pb.ts";
import { ValueSchema } from "../../gen/ts/realmwire/v1/value_pb.ts";
import {
  EntityChangeSchema,
  type GetRequest,
  GetResponseSchema,
  type SetRequest,
  SetResponseSchema,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { type AttributeRow, attributeRows, type Caller } from "../../scripts/access-matrix.ts";

/** Who reads messages. */
export interface Reader {
  /** The character. */
  readonly name: string;
  readonly role: Exclude<Caller, "anonymous">;
}

/** Something in a message that its reader may not see, or of which nobody knows whether it may. */
export interface Leak {
  readonly reader: Reader;
  /** The type of the message. */
  readonly message: string;
  /** The name of what it is about; empty where that is not told. */
  readonly of: string;
  /** The attribute, such as `purse.gold`, or what is wrong with what stands there. */
  readonly what: string;
}

/** What the test knows of the world. */
export interface WorldFacts {
  isCharacter(name: string): boolean;
  /** The name of the character that owns a thing at present; empty: nobody. */
  ownerOf(thing: string): string;
}

/** Attributes that are no fields of components, and have rules of their own. */
const INTRINSIC: ReadonlySet<string> = new Set(["name", "zone", "position", "velocity"]);

/** A message of which nothing is left to look at. */
const ALL: readonly string[] = [];

/** The rules of the fields of components, by the options in the protos. */
export interface FieldRules {
  readonly registry: Registry;
  readonly rows: readonly AttributeRow[];
}

/** Reads the rules of these components. */
export function readRules(components: readonly DescMessage[]): FieldRules {
  return { registry: createRegistry(...components), rows: attributeRows(components) };
}

/** Owners of entities by id, as a stream told them. */
export type KnownOwners = Map<number, string>;

/**
 * Finds what a reader is sent and may not see, in any message: by the options of the fields and nothing of the server's.
 * `known` goes on from an earlier stream of the reader. How many fields were judged so far is `judged`.
 */
export function createLeakFinder(
  rules: FieldRules,
  reader: Reader,
  facts: WorldFacts,
  known: KnownOwners = new Map(),
) {
  const leaks: Leak[] = [];
  let judged = 0;
  let message = "";
  let of = "";
  const names = new Map<number, string>();

  function report(what: string): void {
    leaks.push({ reader, message, of, what });
  }

  /** Judges a field of something that belongs to somebody; undefined: of what is the same for all owners. */
  function judge(row: AttributeRow, owner: string | undefined, isAnswerToSet = false): void {
    judged += 1;
    const asOwner = owner !== undefined && owner === reader.name;
    const asker = reader.role === "player" ? "stranger" : reader.role;
    if (row.sees[asker] || (asOwner && row.sees.owner)) return;
    if (isAnswerToSet && (row.sets[asker] || (asOwner && row.sets.owner))) return;
    report(row.name);
  }

  function judgeComponent(any: Any, owner: string | undefined): void {
    const component = anyUnpack(any, rules.registry);
    if (component === undefined) return report(`unknown type ${any.typeUrl}`);
    if (component.$unknown !== undefined) report(`unknown fields of ${component.$typeName}`);
    for (const row of rules.rows) {
      if (row.component.typeName !== component.$typeName) continue;
      if (reflect(row.component, component).isSet(row.field)) judge(row, owner);
    }
  }

  function judgeNamed(name: string, owner: string | undefined, isAnswerToSet = false): void {
    if (INTRINSIC.has(name)) return;
    const found = rules.rows.filter((row) => row.name === name || row.field.name === name);
    const [row, other] = found;
    if (row === undefined || other !== undefined) report(`unknown attribute ${name}`);
    else judge(row, owner, isAnswerToSet);
  }

  function ownerOf(name: string): string {
    const target = name === "" ? reader.name : name;
    return facts.isCharacter(target) ? target : facts.ownerOf(target);
  }

  /** Judges the attributes in a message, and says which of its fields are done with by that. */
  function judgeFields(item: Message, request: Message): readonly string[] {
    if (isMessage(item, EntitySchema)) {
      const owner = item.kind === EntityKind.CHARACTER ? item.name : bodyOf(item.components)?.owner;
      known.set(item.id, owner ?? "");
      names.set(item.id, (of = item.name));
      for (const any of item.components) judgeComponent(any, owner ?? "");
      return ["components"];
    }
    if (isMessage(item, EntityChangeSchema)) {
      const owner = known.get(item.id);
      of = names.get(item.id) ?? "";
      if (owner === undefined) report("a change of what never came into view");
      for (const any of item.components) judgeComponent(any, owner ?? "");
      return ["components"];
    }
    if (isMessage(item, MapObjectSchema)) {
      of = item.name;
      // Who may set it may read in the map what it was set to.
      for (const name of Object.keys(item.attributes)) judgeNamed(name, undefined, true);
      return ["attributes"];
    }
    if (isMessage(item, GetResponseSchema)) {
      of = (request as GetRequest).name;
      const owner = ownerOf(of);
      for (const name of Object.keys(item.attributes)) judgeNamed(name, owner);
      return ["attributes"];
    }
    if (isMessage(item, SetResponseSchema)) {
      const { name, attribute } = request as SetRequest;
      of = name;
      if (item.value) judgeNamed(attribute, ownerOf(name), true);
      return ["value"];
    }
    if (isMessage(item, AnySchema)) judgeComponent(item, undefined);
    else if (isMessage(item, ValueSchema)) report("a value of nobody knows what");
    else return [];
    return ALL;
  }

  function walk(item: ReflectMessage, request: Message): void {
    const done = judgeFields(item.message, request);
    if (done === ALL) return;
    for (const field of item.fields) {
      if (field.message === undefined || !item.isSet(field) || done.includes(field.name)) continue;
      if (field.fieldKind === "message") walk(item.get(field), request);
      else if (field.fieldKind === "list") {
        for (const inner of item.get(field)) walk(inner as ReflectMessage, request);
      } else if (field.fieldKind === "map") {
        for (const inner of item.get(field).values()) walk(inner as ReflectMessage, request);
      }
    }
  }

  return {
    leaks,
    get judged() {
      return judged;
    },
    /** Looks through an answer to a request. */
    read(desc: DescMessage, answer: Message, request: Message): void {
      message = desc.name;
      of = "";
      walk(reflect(desc, answer), request);
    },
  };
}

function bodyOf(components: readonly Any[]): Body | undefined {
  for (const any of components) {
    const body = anyUnpack(any, BodySchema);
    if (body) return body;
  }
  return undefined;
}
