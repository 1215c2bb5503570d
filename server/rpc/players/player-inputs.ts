import { toBinary } from "@bufbuild/protobuf";
import type { Outcome } from "../../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { MoveOutcomeSchema, MoveRefusal } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { InputRequest, MoveRequest } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { DomainError } from "../../errors.ts";
import type { EndCall, MessageSink } from "../pipeline/message-sink.ts";
import { refusalError } from "./world-entry.ts";

/** Input streams that one character may have open: moves of two could not be put in order. A newer one ends the oldest. */
export const MAX_INPUTS = 1;

/** What came of the moves of a stream. */
export interface InputTotals {
  /** Moves that were taken, refused ones included. */
  readonly taken: number;
  readonly refused: number;
}

/** The Input streams of one character. */
export interface PlayerInputs {
  /** Opens a stream; `end` ends its call. Beyond {@link MAX_INPUTS} the one open longest ends with `TOO_MANY_STREAMS`. */
  open(end: EndCall): MessageSink<InputRequest, InputTotals>;
  /** Streams that are open. */
  readonly count: number;
  /** Ends all streams with an error. */
  end(error: unknown): void;
}

/** What the streams are made of. */
export interface PlayerInputsOptions {
  /** Carries a Move out. */
  readonly move: (request: MoveRequest) => Outcome | Promise<Outcome>;
  /** Is told of a move that was refused, as a serialized `MoveOutcome`. */
  readonly onRefused: (outcome: Uint8Array) => void;
  /** A stream has been closed. */
  readonly onClosed: () => void;
}

const NO_MOVE = { kind: { case: undefined }, sequence: 0 } as const;

/** No streams yet. */
export function createPlayerInputs(options: PlayerInputsOptions): PlayerInputs {
  const open = new Set<EndCall>();

  function count(outcome: Outcome, totals: { taken: number; refused: number }): void {
    if (outcome.kind.case !== "move") throw refusalError(outcome);
    for (const one of outcome.kind.value.outcomes) {
      totals.taken += 1;
      if (one.refusal === MoveRefusal.UNSPECIFIED) continue;
      totals.refused += 1;
      options.onRefused(toBinary(MoveOutcomeSchema, one));
    }
  }

  return {
    open(end) {
      for (const oldest of [...open].slice(0, open.size - MAX_INPUTS + 1)) oldest(tooManyInputs());
      open.add(end);
      const totals = { taken: 0, refused: 0 };
      return {
        take({ moves }) {
          const outcome = options.move({
            $typeName: "realmwire.v1.MoveRequest",
            ...NO_MOVE,
            moves,
          });
          if (outcome instanceof Promise) return outcome.then((made) => count(made, totals));
          count(outcome, totals);
          return undefined;
        },
        finish: () => totals,
        close() {
          if (open.delete(end)) options.onClosed();
        },
      };
    },
    get count() {
      return open.size;
    },
    end(error) {
      for (const end of open) end(error);
    },
  };
}

function tooManyInputs(): DomainError {
  return new DomainError(ErrorReason.TOO_MANY_STREAMS, "a newer stream took this one's place", {
    metadata: { limit: String(MAX_INPUTS) },
  });
}
