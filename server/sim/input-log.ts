import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { InputSchema, RecordingSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { Input, RecordedInput } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { MoveRequest } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { WireWriter } from "./wire-writer.ts";

const RECORDING = { inputs: 3 } as const;
const RECORDED_INPUT = { tick: 1, input: 2 } as const;
const INPUT = { move: 3 } as const;
const MOVE_INPUT = { name: 1, move: 2 } as const;
const MOVE = { offset: 1, destination: 2, direction: 3, sequence: 4 } as const;
const VECTOR = { x: 1, y: 2, z: 3 } as const;
/** What is written so far is put aside in pieces of this size, in bytes: one buffer that doubles would hold up to twice as much. */
const PIECE_BYTES = 64 * 1024;

/** Inputs with the ticks at which they came, serialized as the field of a Recording: as messages they would take ten times the room. */
export interface InputLog {
  /** Adds an input and returns how many bytes it takes. */
  add(tick: number, input: Input): number;
  readonly count: number;
  /** All of them, in their order. */
  read(): RecordedInput[];
}

/** A log without inputs. */
export function createInputLog(): InputLog {
  return new Log();
}

// A class, as the grid is: every checkpoint makes another one.
class Log implements InputLog {
  count = 0;
  private readonly writer = new WireWriter();
  private readonly pieces: Uint8Array[] = [];

  add(tick: number, input: Input): number {
    const { writer } = this;
    const before = writer.length;
    const recorded = writer.begin(RECORDING.inputs);
    writer.uint32(RECORDED_INPUT.tick, tick);
    write(writer, input);
    writer.end(recorded);
    this.count++;
    const bytes = writer.length - before;
    if (writer.length >= PIECE_BYTES) {
      this.pieces.push(writer.finish());
      writer.reset();
    }
    return bytes;
  }

  read(): RecordedInput[] {
    const pieces = [...this.pieces, this.writer.finish()];
    return pieces.flatMap((piece) => fromBinary(RecordingSchema, piece).inputs);
  }
}

/** Moves are most of all inputs: they are written by hand, all others by the generated code. */
function write(writer: WireWriter, { kind, ...rest }: Input): void {
  const request = kind.case === "move" ? kind.value.move : undefined;
  if (kind.case !== "move" || !request?.kind.case || request.$unknown) {
    writer.bytes(RECORDED_INPUT.input, toBinary(InputSchema, { ...rest, kind }));
    return;
  }
  const input = writer.begin(RECORDED_INPUT.input);
  const moveInput = writer.begin(INPUT.move);
  writer.text(MOVE_INPUT.name, kind.value.name);
  const move = writer.begin(MOVE_INPUT.move);
  writeWay(writer, request.kind);
  writer.uint32(MOVE.sequence, request.sequence);
  writer.end(move);
  writer.end(moveInput);
  writer.end(input);
}

function writeWay(writer: WireWriter, kind: MoveRequest["kind"]): void {
  if (kind.case === undefined) return;
  const { x, y, z } = kind.value;
  const vector = writer.begin(MOVE[kind.case]);
  writer.double(VECTOR.x, x);
  writer.double(VECTOR.y, y);
  writer.double(VECTOR.z, z);
  writer.end(vector);
}
