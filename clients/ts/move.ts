import { create } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { VectorSchema } from "../../gen/ts/realmwire/v1/value_pb.ts";
import { MoveSchema } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Move, WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Clock } from "./clock.ts";
import type { Unsubscribe } from "./emitter.ts";
import { createInputSender } from "./input-sender.ts";
import { createUnarySender } from "./move-sender.ts";
import type { MoveResult, MoveSender, PendingMove } from "./move-sender.ts";
import type { PointInit } from "./value.ts";
import type { World } from "./world.ts";
import type { WorldView } from "./world-view.ts";

/** A direction that is asked for again goes out again after so long, in case that something else ended the walk. */
const SAME_DIRECTION_MS = 1_000;

/**
 * Moves the caller's character. A move that the world does not allow is a result with a `refusal`, not an error. What is
 * asked for in one go, such as within a frame, goes out together, in this order.
 */
export interface Mover {
  /** A step relative to where the character is, at most 1.5 tiles long. */
  by(offset: PointInit): Promise<MoveResult>;
  /** Walks to a place, in tiles; the server finds the way. */
  to(destination: PointInit): Promise<MoveResult>;
  /**
   * Walks on in a direction until the next move. The length, 0 to 1, is the part of the full speed. It may be called with every frame: the
   * direction that the character already walks in is not sent again.
   */
  direction(direction: PointInit): Promise<MoveResult>;
  stop(): Promise<MoveResult>;
}

/** A mover that open worlds are tied to. */
export interface TiedMover extends Mover {
  /** Learns from a world what came of moves, until the function that comes back is called. */
  follow(world: Pick<World, "view" | "onState">): Unsubscribe;
}

/** What a mover is made with. */
export interface MoverOptions {
  readonly world: Client<typeof WorldService>;
  readonly clock: Clock;
  /** Whether moves go out by Input while a world is open: for transports that can send a stream. Default: no. */
  readonly streamsMoves?: boolean;
}

/** What the character was told last, if that was a direction. */
interface LastDirection {
  readonly to: Required<PointInit>;
  readonly sentAt: number;
  readonly result: Promise<MoveResult>;
}

/** Creates a mover, which counts the `sequence` of moves from 1, or from the last one that a world it follows has seen. */
export function createMover({ world, clock, streamsMoves = false }: MoverOptions): TiedMover {
  const unary = createUnarySender(world);
  const input = createInputSender({
    world,
    clock,
    onUnusable(moves) {
      canStream = false;
      unary.send(moves);
    },
  });
  let canStream = streamsMoves;
  let followed: WorldView | undefined;
  let sequence = 0;
  let last: LastDirection | undefined;
  let unsent: PendingMove[] = [];
  let sender: MoveSender = unary;
  /** Resolves when the sender before has done its part: moves must not overtake each other. */
  let handover: Promise<void> = Promise.resolve();

  function move(way: "offset" | "destination" | "direction", to: Required<PointInit>) {
    // Another program may have moved the character before; the field has 32 bits, and 0 stands for none.
    sequence = (Math.max(sequence, followed?.acknowledged ?? 0) + 1) >>> 0 || 1;
    const kind: Move["kind"] = { case: way, value: create(VectorSchema, to) };
    const made = create(MoveSchema, { kind, sequence });
    return new Promise<MoveResult>((settle, fail) => {
      if (unsent.length === 0) queueMicrotask(flush);
      unsent.push({ move: made, settle, fail });
    });
  }

  function flush(): void {
    const moves = unsent;
    unsent = [];
    // Before the first scene nobody knows which moves were acknowledged already.
    const next = canStream && followed?.scene ? input : unary;
    if (next !== sender) {
      const before = sender;
      sender = next;
      handover = handover.then(() => before.drain());
    }
    void handover.then(() => next.send(moves));
  }

  function direct(to: Required<PointInit>): Promise<MoveResult> {
    const now = clock.now();
    if (last && isSame(last.to, to) && now - last.sentAt < SAME_DIRECTION_MS) return last.result;
    const result = move("direction", to);
    const sent: LastDirection = { to, sentAt: now, result };
    last = sent;
    const forget = () => void (last === sent && (last = undefined));
    result.then(({ moved }) => moved || forget(), forget);
    return result;
  }

  return {
    by(offset) {
      last = undefined;
      return move("offset", whole(offset));
    },
    to(destination) {
      last = undefined;
      return move("destination", whole(destination));
    },
    direction: (direction) => direct(whole(direction)),
    stop: () => direct({ x: 0, y: 0, z: 0 }),
    follow({ view, onState }) {
      followed = view;
      const unsubscribe = [
        // In another zone the character stands still.
        view.onScene(() => void (last = undefined)),
        view.onUpdate((update) => input.observe(update, view.self?.position)),
        onState(({ kind }) => {
          if (kind === "reconnecting") input.abandon();
        }),
      ];
      return () => {
        for (const one of unsubscribe) one();
        if (followed !== view) return;
        followed = undefined;
        void input.drain();
      };
    },
  };
}

function whole({ x, y, z = 0 }: PointInit): Required<PointInit> {
  return { x, y, z };
}

function isSame(a: Required<PointInit>, b: Required<PointInit>): boolean {
  return a.x === b.x && a.y === b.y && a.z === b.z;
}
