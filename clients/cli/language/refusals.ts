import { MoveRefusal } from "../../ts/index.ts";

/** Why a move was not made, for people. */
export function refusalText(refusal: MoveRefusal): string {
  switch (refusal) {
    case MoveRefusal.BARRIER:
      return "a wall, water or the like is in the way";
    case MoveRefusal.OCCUPIED:
      return "somebody or something is in the way";
    case MoveRefusal.TOO_FAST:
      return "you moved too much lately, wait a moment";
    case MoveRefusal.TOO_FAR:
      return "that is too far for one move (256 tiles)";
    case MoveRefusal.NO_PATH:
      return "no way leads there";
    case MoveRefusal.OUT_OF_MAP:
      return "that is outside of the map";
    case MoveRefusal.NO_GROUND:
      return "there is no ground";
    case MoveRefusal.NOT_A_PLACE:
      return "that is no place";
    case MoveRefusal.HELD:
      return "you cannot move at present";
    default:
      return "the server does not say why";
  }
}
