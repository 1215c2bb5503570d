import type { Place } from "../world/rules.ts";

/** What one player's connection tells. */
export interface ClientEvents {
  /** A message of the update stream. */
  onUpdate(message: Buffer): void;
  /** The Move was answered, or the first of those since the last answer; never called by protocols without answers. */
  onAnswer(answer: Buffer): void;
  onFailure(reason: string): void;
}

/** One player's connection to a server. */
export interface GameClient {
  /** Sends a Move. The one before has been answered, where the protocol waits for answers. */
  move(direction: Place): void;
  /** Bytes that came from the server so far, with everything around the messages. */
  bytesRead(): number;
  close(): void;
}

/** What a connection is opened with. */
export interface ClientOptions {
  readonly port: number;
  readonly player: number;
  /** What lets the player in. */
  readonly credential: string;
  /** Whether to open the update stream too, or only to make calls. */
  readonly withStream: boolean;
  readonly events: ClientEvents;
}

/** What one player holds of the world, from what its stream brought. */
export interface View {
  apply(message: Buffer): void;
  /** Players in view, itself included. */
  size(): number;
  /** Whether it sees itself. */
  seesItself(): boolean;
  /** Where it sees a player, in units; undefined: not in view. */
  placeOf(player: number): Place | undefined;
}

/** How a candidate is spoken to. */
export interface Protocol {
  /** Whether Moves are answered: each on its own, some time later with others, or not at all. */
  readonly answers: "each" | "together" | "none";
  /** Whether an answer says that the Move was made. */
  isMoved(answer: Buffer): boolean;
  open(options: ClientOptions): Promise<GameClient>;
  createView(player: number): View;
}
