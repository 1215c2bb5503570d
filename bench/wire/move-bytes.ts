import { WireWriter } from "../../server/sim/wire-writer.ts";
import type { Place } from "../world/rules.ts";

// The messages of a Move in Protobuf, written and read by hand: what the load generator and the plain
// servers do must cost as little as it can.

const INPUT = { moves: 1 } as const;
const REQUEST = { direction: 3, sequence: 4 } as const;
const ANSWER = { moved: 1, position: 2, sequence: 4 } as const;
const VECTOR = { x: 1, y: 2 } as const;
const BYTES_OF_DOUBLE = 8;

const writer = new WireWriter();

/** A serialized `realmwire.v1.MoveRequest` with a direction. */
export function writeMove(direction: Place, sequence: number): Uint8Array {
  writer.reset();
  writeVector(REQUEST.direction, direction);
  writer.uint32(REQUEST.sequence, sequence);
  return writer.finish();
}

/** A serialized `realmwire.v1.InputRequest` with one direction. */
export function writeInput(direction: Place, sequence: number): Uint8Array {
  writer.reset();
  const mark = writer.begin(INPUT.moves);
  writeVector(REQUEST.direction, direction);
  writer.uint32(REQUEST.sequence, sequence);
  writer.end(mark);
  return writer.finish();
}

/** A serialized `realmwire.v1.MoveResponse` of a Move that was made. */
export function writeMoveAnswer(position: Place, sequence: number): Uint8Array {
  writer.reset();
  writer.uint32(ANSWER.moved, 1);
  writeVector(ANSWER.position, position);
  writer.uint32(ANSWER.sequence, sequence);
  return writer.finish();
}

function writeVector(field: number, { x, y }: Place): void {
  const mark = writer.begin(field);
  writer.double(VECTOR.x, x);
  writer.double(VECTOR.y, y);
  writer.end(mark);
}

/** Reads what {@link writeMove} wrote. */
export function readMove(bytes: Buffer): { dx: number; dy: number; sequence: number } {
  const move = { dx: 0, dy: 0, sequence: 0 };
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at++] as number;
    if (tag >> 3 === REQUEST.direction) {
      const end = at + 1 + (bytes[at] as number);
      for (at++; at < end; at += 1 + BYTES_OF_DOUBLE) {
        const value = bytes.readDoubleLE(at + 1);
        if ((bytes[at] as number) >> 3 === VECTOR.x) move.dx = value;
        else move.dy = value;
      }
    } else {
      let shift = 0;
      for (; ; shift += 7) {
        const byte = bytes[at++] as number;
        move.sequence |= (byte & 127) << shift;
        if (byte < 128) break;
      }
    }
  }
  return move;
}

/** Whether a serialized `MoveResponse` says that the Move was made. */
export function isMoved(answer: Uint8Array): boolean {
  return answer[0] === ANSWER.moved << 3 && answer[1] === 1;
}
