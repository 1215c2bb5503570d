import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  EditRequestSchema,
  GetRequestSchema,
  GetResponseSchema,
  LoginRequestSchema,
  NewRequestSchema,
  SetRequestSchema,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { MAP_TILES } from "../world/rules.ts";
import { PASSWORD } from "./order.ts";
import type { CallName } from "./order.ts";

/** The persistent attribute that is set: its owner's number, which nobody else sees. */
const ATTRIBUTE = "steps";
/** Tiles in a row of an edit's rectangle. */
const EDITED_TILES = 4;
/** Rectangles of one edit. */
const EDIT_COMMANDS = 4;

/** The requests of one connection, one after the other. */
export type Requests = () => Uint8Array;

/** The requests that a connection makes. `name` is who logs in, or what new names begin with. */
export function createRequests(call: CallName, caller: number, name: string): Requests {
  let count = 0;
  switch (call) {
    case "Login":
      return constant(
        toBinary(LoginRequestSchema, create(LoginRequestSchema, { name, password: PASSWORD })),
      );
    case "New":
      return () =>
        toBinary(
          NewRequestSchema,
          create(NewRequestSchema, { name: `${name}-${caller}-${++count}`, password: PASSWORD }),
        );
    case "Get":
      return constant(createGet());
    case "Set":
      return constant(
        toBinary(
          SetRequestSchema,
          create(SetRequestSchema, {
            attribute: ATTRIBUTE,
            change: { case: "add", value: { kind: { case: "intValue", value: 1n } } },
          }),
        ),
      );
    case "Edit":
      return () => createEdit(caller, ++count);
  }
}

/** A Get of the attribute that Sets change. */
export function createGet(): Uint8Array {
  return toBinary(GetRequestSchema, create(GetRequestSchema, { attributes: [ATTRIBUTE] }));
}

/** The number in the answer to {@link createGet}. */
export function readGet(answer: Uint8Array): number {
  const { kind } = fromBinary(GetResponseSchema, answer).attributes[ATTRIBUTE] ?? {};
  return kind?.case === "intValue" ? Number(kind.value) : Number.NaN;
}

function constant(bytes: Uint8Array): Requests {
  return () => bytes;
}

/** A small batch at the map's far edge, where nobody walks: barriers come and go. */
function createEdit(caller: number, count: number): Uint8Array {
  const commands = Array.from({ length: EDIT_COMMANDS }, (_, i) => ({
    kind: {
      case: "setBarriers" as const,
      value: {
        region: {
          x: MAP_TILES - EDITED_TILES * (i + 1),
          y: MAP_TILES - 1 - caller,
          width: EDITED_TILES,
          height: 1,
        },
        blocked: count % 2 === 1,
      },
    },
  }));
  return toBinary(EditRequestSchema, create(EditRequestSchema, { commands }));
}
