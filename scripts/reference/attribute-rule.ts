import { type DescField, getOption } from "@bufbuild/protobuf";
import {
  attribute as attributeOption,
  Visibility,
  VisibilitySchema,
  Writer,
  WriterSchema,
} from "../../gen/ts/realmwire/v1/options_pb.ts";

/** The option `attribute` of a field, with the names of its enums. */
export interface AttributeRule {
  readonly visible: string;
  readonly write: string;
  readonly persist: boolean;
}

const SEEN_BY: Readonly<Record<Visibility, string>> = {
  [Visibility.UNSPECIFIED]: "admins",
  [Visibility.NEAR]: "everybody",
  [Visibility.PARTY]: "the owner and the owner's party",
  [Visibility.OWNER]: "the owner",
};

const SET_BY: Readonly<Record<Writer, string>> = {
  [Writer.UNSPECIFIED]: "admins",
  [Writer.SERVER]: "admins",
  [Writer.OWNER]: "the owner",
  [Writer.BUILDER]: "builders",
};

/** The rule of an attribute, for programs. */
export function attributeRule(field: DescField): AttributeRule {
  const { visible, write, persist } = getOption(field, attributeOption);
  return {
    visible: VisibilitySchema.value[visible]?.name ?? String(visible),
    write: WriterSchema.value[write]?.name ?? String(write),
    persist,
  };
}

/** The rule of an attribute, for people. An admin sees and sets everything. */
export function attributeInWords(field: DescField): string {
  const { visible, write, persist } = getOption(field, attributeOption);
  const stored = persist ? "stored" : "not stored";
  return `seen by ${SEEN_BY[visible]}, set by ${SET_BY[write]}, ${stored}`;
}
