import { create } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { VectorSchema } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type { Vector } from "../../gen/ts/realmwire/v1/value_pb.ts";
import {
  MoveOutcomeSchema,
  MoveRefusal,
  MoveResponseSchema,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type {
  Move,
  MoveOutcome,
  MoveResponse,
  WorldService,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { RealmwireError } from "./errors.ts";
import { toRealmwireError } from "./errors.ts";

/** Moves that one message may carry, by the protocol. */
export const MAX_MOVES_PER_MESSAGE = 32;

/** What came of a move: `moved`, `position`, and `refusal` when it was not made. */
export type MoveResult = MoveResponse & { position: Vector };

/** A move whose outcome is not known yet. */
export interface PendingMove {
  readonly move: Move;
  readonly settle: (result: MoveResult) => void;
  readonly fail: (error: RealmwireError) => void;
}

/** Carries moves to the server, in the order in which they are given. */
export interface MoveSender {
  send(moves: readonly PendingMove[]): void;
  /** Resolves when the server has taken all that was sent, so that another sender may go on. */
  drain(): Promise<void>;
}

/** Sends moves by Move: what comes up while a call is under way goes with the next one, so that none overtakes another. */
export function createUnarySender(world: Client<typeof WorldService>): MoveSender {
  const waiting: PendingMove[] = [];
  let calling: Promise<void> | undefined;

  async function callOn(): Promise<void> {
    while (waiting.length > 0) await call(waiting.splice(0, MAX_MOVES_PER_MESSAGE));
    calling = undefined;
  }

  async function call(moves: readonly PendingMove[]): Promise<void> {
    const [first] = moves;
    if (!first) return;
    try {
      const { kind, sequence } = first.move;
      const request = moves.length === 1 ? { kind, sequence } : { moves: moves.map(moveOf) };
      const response = await world.move(request);
      if (moves.length === 1) first.settle(withPosition(response));
      else settleEach(moves, response);
    } catch (error) {
      for (const { fail } of moves) fail(toRealmwireError(error));
    }
  }

  return {
    send(moves) {
      waiting.push(...moves);
      calling ??= callOn();
    },
    drain: () => calling ?? Promise.resolve(),
  };
}

/** The result that an outcome stands for. */
export function resultOf(outcome: MoveOutcome, tick: number): MoveResult {
  const { sequence, refusal, position } = outcome;
  const moved = refusal === MoveRefusal.UNSPECIFIED;
  const place = position ? { position } : {};
  return withPosition(create(MoveResponseSchema, { moved, refusal, sequence, tick, ...place }));
}

function settleEach(moves: readonly PendingMove[], { outcomes, tick }: MoveResponse): void {
  for (const [index, { settle }] of moves.entries()) {
    settle(resultOf(outcomes[index] ?? create(MoveOutcomeSchema), tick));
  }
}

function withPosition(response: MoveResponse): MoveResult {
  return { ...response, position: response.position ?? create(VectorSchema) };
}

function moveOf({ move }: PendingMove): Move {
  return move;
}
