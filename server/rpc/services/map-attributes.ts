import type { EditCommand, MapObject, ZoneMap } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import type { Session } from "../../account/session.ts";
import { BodySchema } from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import type { AttributeField, ComponentTypes } from "../../sim/components.ts";
import { forbidden, maySee, mayWrite } from "./attribute-rules.ts";

/** Nobody's: what a map says is the same for all, whoever owns the thing by now. */
const NOBODYS = { name: "", owner: "" };

/**
 * A map as its reader may see it: of the attributes of its objects those that everybody near sees, and those that the
 * reader's role may set, so that a builder can put an object again as it was.
 */
export function visibleMap(types: ComponentTypes, session: Session, map: ZoneMap): ZoneMap {
  const isOpen = (name: string) => {
    const attribute = types.attribute(name);
    if (attribute === undefined) return false;
    return maySee(session, NOBODYS, attribute) || mayWrite(session, NOBODYS, attribute);
  };
  return { ...map, objects: map.objects.map((object) => keepAttributes(object, isOpen)) };
}

function keepAttributes(object: MapObject, isOpen: (name: string) => boolean): MapObject {
  const entries = Object.entries(object.attributes);
  const open = entries.filter(([name]) => isOpen(name));
  if (open.length === entries.length) return object;
  return { ...object, attributes: Object.fromEntries(open) };
}

/** Checks that an editor puts no attribute that it could not set. Throws `ATTRIBUTE_FORBIDDEN`; names that the game does not have are left to the edit. */
export function checkPutAttributes(
  types: ComponentTypes,
  session: Session,
  commands: readonly EditCommand[],
): void {
  for (const { kind } of commands) {
    if (kind.case !== "putObject") continue;
    const { name, attributes } = kind.value;
    const target = { name, owner: ownerIn(types, attributes) };
    for (const key of Object.keys(attributes)) {
      const attribute = types.attribute(key);
      if (attribute && !mayWrite(session, target, attribute)) throw forbidden(target, key);
    }
  }
}

/** Whose an object is by the attributes that it is put with. */
function ownerIn(types: ComponentTypes, attributes: MapObject["attributes"]): string {
  for (const [name, { kind }] of Object.entries(attributes)) {
    const attribute = types.attribute(name);
    if (attribute && isOwnerField(attribute) && kind.case === "stringValue") return kind.value;
  }
  return "";
}

function isOwnerField({ type, field }: AttributeField): boolean {
  const { owner } = BodySchema.field;
  return type.schema.typeName === BodySchema.typeName && field.number === owner.number;
}
