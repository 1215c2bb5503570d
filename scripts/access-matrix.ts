import { type DescField, type DescMessage, type DescMethod, getOption } from "@bufbuild/protobuf";
import type { DescService } from "@bufbuild/protobuf";
import {
  attribute as attributeOption,
  Role,
  Visibility,
  Writer,
} from "../gen/ts/realmwire/v1/options_pb.ts";
import { checkComponents, type MethodAccess, readAccess } from "../server/rpc/pipeline/access.ts";

/** Who calls, from the one who may least. Each has the role of its name. */
export const CALLERS = ["anonymous", "player", "builder", "admin"] as const;
export type Caller = (typeof CALLERS)[number];

/** The role of each caller. */
export const ROLE_OF: Readonly<Record<Caller, Role>> = {
  anonymous: Role.ANONYMOUS,
  player: Role.PLAYER,
  builder: Role.BUILDER,
  admin: Role.ADMIN,
};

/** Who asks for an attribute. All but the owner are strangers to what has it; `builder` and `admin` by their role, the others are players. */
export const ASKERS = ["stranger", "party", "owner", "builder", "admin"] as const;
export type Asker = (typeof ASKERS)[number];

/** One call, and who may make it. */
export interface CallRow {
  readonly method: DescMethod;
  readonly access: MethodAccess;
  readonly may: Readonly<Record<Caller, boolean>>;
}

/** One attribute, and who may do what with it. */
export interface AttributeRow {
  /** With its component, such as `purse.gold`: what Get and Set call it. */
  readonly name: string;
  readonly component: DescMessage;
  readonly field: DescField;
  readonly sees: Readonly<Record<Asker, boolean>>;
  readonly sets: Readonly<Record<Asker, boolean>>;
  readonly persists: boolean;
}

/** Every call of these services. Throws an `Error` that names the call that has no rule. */
export function callRows(services: readonly DescService[]): CallRow[] {
  return [...readAccess(services)].map(([method, access]) => ({
    method,
    access,
    may: each(CALLERS, (caller) => ROLE_OF[caller] >= access.role),
  }));
}

/** Every attribute of these components. Throws an `Error` that names the field that has no rule. */
export function attributeRows(components: readonly DescMessage[]): AttributeRow[] {
  checkComponents(components);
  return components.flatMap((component) =>
    component.fields.map((field) => {
      const { visible, write, persist } = getOption(field, attributeOption);
      const name = `${component.name.toLowerCase()}.${field.name}`;
      const seers = seersOf(name, visible);
      const setters = settersOf(name, write);
      return {
        ...{ name, component, field },
        sees: each(ASKERS, (asker) => seers.includes(asker)),
        sets: each(ASKERS, (asker) => setters.includes(asker)),
        persists: persist,
      };
    }),
  );
}

// Written from the comments of `options.proto` alone, and not by what the server makes of them: the two are held against each other.
function seersOf(name: string, visible: Visibility): readonly Asker[] {
  switch (visible) {
    case Visibility.UNSPECIFIED:
      return ["admin"];
    case Visibility.NEAR:
      return ASKERS;
    case Visibility.PARTY:
      return ["party", "owner", "admin"];
    case Visibility.OWNER:
      return ["owner", "admin"];
    default:
      throw new Error(`${name}: nobody knows who sees a field that is visible to ${visible}`);
  }
}

function settersOf(name: string, write: Writer): readonly Asker[] {
  switch (write) {
    case Writer.UNSPECIFIED:
    case Writer.SERVER:
      return ["admin"];
    case Writer.OWNER:
      return ["owner", "admin"];
    case Writer.BUILDER:
      return ["builder", "admin"];
    default:
      throw new Error(`${name}: nobody knows who sets a field that is written by ${write}`);
  }
}

function each<K extends string>(keys: readonly K[], value: (key: K) => boolean) {
  return Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, boolean>;
}
