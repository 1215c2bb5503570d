import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { InputSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { Input } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { MoveRequest } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { WireWriter } from "./wire-writer.ts";

const INPUT = { move: 3 } as const;
const MOVE_INPUT = { name: 1, move: 2 } as const;
const MOVE = { offset: 1, destination: 2, direction: 3, sequence: 4 } as const;
const VECTOR = { x: 1, y: 2, z: 3 } as const;
const INITIAL_BYTES = 4_096;

/** Inputs with the ticks at which they came, serialized: as messages they would take ten times the room. */
export interface InputLog {
  /** Adds an input and returns how many bytes it takes. */
  add(tick: number, input: Input): number;
  readonly count: number;
  /** All of them, in their order. */
  read(): { readonly tick: number; readonly input: Input }[];
}

const writer = new WireWriter();
const encoder = new TextEncoder();

/** A log without inputs. */
export function createInputLog(): InputLog {
  let bytes = new Uint8Array(INITIAL_BYTES);
  let used = 0;
  const ticks: number[] = [];
  const ends: number[] = [];

  return {
    add(tick, input) {
      const message = encode(input);
      if (used + message.length > bytes.length) {
        const larger = new Uint8Array(Math.max(used + message.length, bytes.length * 2));
        larger.set(bytes);
        bytes = larger;
      }
      bytes.set(message, used);
      used += message.length;
      ticks.push(tick);
      ends.push(used);
      return message.length;
    },
    get count() {
      return ticks.length;
    },
    read: () =>
      ticks.map((tick, i) => ({
        tick,
        input: fromBinary(InputSchema, bytes.slice(ends[i - 1] ?? 0, ends[i])),
      })),
  };
}

/** Moves are most of all inputs: they are written by hand, all others by the generated code. */
function encode({ kind, ...rest }: Input): Uint8Array {
  const request = kind.case === "move" ? kind.value.move : undefined;
  if (kind.case !== "move" || !request?.kind.case || request.$unknown) {
    return toBinary(InputSchema, { ...rest, kind });
  }
  writer.reset();
  const input = writer.begin(INPUT.move);
  writer.bytes(MOVE_INPUT.name, encoder.encode(kind.value.name));
  const move = writer.begin(MOVE_INPUT.move);
  writeWay(request.kind);
  writer.uint32(MOVE.sequence, request.sequence);
  writer.end(move);
  writer.end(input);
  return writer.finish();
}

function writeWay(kind: MoveRequest["kind"]): void {
  if (kind.case === undefined) return;
  const { x, y, z } = kind.value;
  const vector = writer.begin(MOVE[kind.case]);
  writer.double(VECTOR.x, x);
  writer.double(VECTOR.y, y);
  writer.double(VECTOR.z, z);
  writer.end(vector);
}
