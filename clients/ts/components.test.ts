import { create } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { CreatureSchema, SignSchema } from "../../gen/ts/meadow/v1/components_pb.ts";
import { BodySchema, PresenceSchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { createUnpack, typeNameOf } from "./components.ts";
import { pack } from "./testing/messages.ts";

test("what every entity has is known without being named", () => {
  const unpack = createUnpack([]);
  expect(unpack(pack(BodySchema, { speed: 3 })).$typeName).toBe("realmwire.v1.Body");
  expect(unpack(pack(PresenceSchema, {})).$typeName).toBe("realmwire.v1.Presence");
});

test("an unknown type is no damage, and stays as it came", () => {
  const any = pack(SignSchema, { text: "inn" });
  const damaged: string[] = [];
  expect(createUnpack([CreatureSchema])(any, () => damaged.push("damaged"))).toBe(any);
  expect(damaged).toEqual([]);
  expect(typeNameOf(any)).toBe("meadow.v1.Sign");
});

test("damaged bytes of a known type are told", () => {
  const typeUrl = "type.googleapis.com/meadow.v1.Sign";
  const any = create(AnySchema, { typeUrl, value: Uint8Array.of(0xff) });
  const damaged: string[] = [];
  expect(createUnpack([SignSchema])(any, () => damaged.push("damaged"))).toBe(any);
  expect(damaged).toEqual(["damaged"]);
});
