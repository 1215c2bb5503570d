import { createRegistry } from "@bufbuild/protobuf";
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { Any } from "@bufbuild/protobuf/wkt";
import { BodySchema, PresenceSchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";

/**
 * Decodes a message that travels in an `Any`: a component, a custom event, an attribute. Answers the `Any`
 * itself when its type is unknown, and when its bytes are damaged, which `onDamaged` is told.
 */
export type Unpack = (any: Any, onDamaged?: () => void) => Message;

/** Creates a decoder for these types, besides those that every entity has. */
export function createUnpack(components: readonly DescMessage[]): Unpack {
  const registry = createRegistry(BodySchema, PresenceSchema, ...components);
  return (any, onDamaged) => {
    try {
      return anyUnpack(any, registry) ?? any;
    } catch {
      onDamaged?.();
      return any;
    }
  };
}

/** The full name of the type in an `Any`, such as `meadow.v1.Creature`. */
export function typeNameOf(any: Any): string {
  return any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1);
}
