import type { EditCommand } from "../../gen/ts/realmwire/v1/map_pb.ts";
import { EditCommandSchema } from "../../gen/ts/realmwire/v1/map_pb.ts";
import { create } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { ValueSchema } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type { Value } from "../../gen/ts/realmwire/v1/value_pb.ts";

/** A value of the type that the JavaScript one has: a bigint is whole, a number is not. */
export function valueOf(value: string | bigint | number | boolean): Value {
  switch (typeof value) {
    case "string":
      return create(ValueSchema, { kind: { case: "stringValue", value } });
    case "bigint":
      return create(ValueSchema, { kind: { case: "intValue", value } });
    case "number":
      return create(ValueSchema, { kind: { case: "doubleValue", value } });
    default:
      return create(ValueSchema, { kind: { case: "boolValue", value } });
  }
}

/** A command that puts a signpost with a text. */
export function putSignpost(name: string, at: { x: number; y: number }, text: string): EditCommand {
  return command({
    case: "putObject",
    value: {
      name,
      kind: "signpost",
      position: { ...at, z: 0 },
      attributes: { text: valueOf(text) },
    },
  });
}

/** A command that puts or takes away the barrier of one tile. */
export function setBarrier(x: number, y: number, blocked: boolean): EditCommand {
  const region = { x, y, width: 1, height: 1 };
  return command({ case: "setBarriers", value: { region, blocked } });
}

/** A command of a map edit. */
export function command(kind: MessageInitShape<typeof EditCommandSchema>["kind"]): EditCommand {
  return create(EditCommandSchema, { kind: kind as EditCommand["kind"] });
}
