/** All that a game may import of the server. */
import type { DescMessage, Message, MessageInitShape } from "@bufbuild/protobuf";
import type { BodySchema } from "../gen/ts/realmwire/v1/entity_pb.ts";
import type { ServiceDefinition } from "./rpc/service.ts";
import type { Kind } from "./sim/kind.ts";

export { ErrorReason } from "../gen/ts/realmwire/v1/error_pb.ts";
export { DomainError } from "./errors.ts";
export { defineService } from "./rpc/service.ts";
export type { Call, Handlers, ServiceDefinition } from "./rpc/service.ts";
export type { Kind, Self } from "./sim/kind.ts";
export type { Place } from "./sim/movement.ts";

/** What a game's own calls may ask of the server. Who calls is told by the `Call` that each handler gets. */
export interface GameDeps {
  /** Where a character is, and whether its player is there; undefined when it is not in the world. */
  whereIs(name: string): { readonly zone: string; readonly online: boolean } | undefined;
}

/** A game: its data model, its maps, its characters and what lives in it. */
export interface Game {
  /** Its name in Version and in recordings: lower-case letters, digits and `-`. */
  readonly id: string;
  /** What people call it. */
  readonly title: string;
  readonly proto: {
    /** The messages that entities are made of, besides the server's own `Body` and `Presence`. */
    readonly components: readonly DescMessage[];
  };
  /** Tiled files, relative to the game's folder. A zone has the name of its file without the ending. */
  readonly maps: readonly string[];
  /**
   * The game's own calls, if any, each bound with {@link defineService}. Each must carry an `access`,
   * which the server keeps to: handlers see only calls that it lets through.
   */
  readonly services?: (deps: GameDeps) => readonly ServiceDefinition[];
  /** The zone in which new characters begin, at its spawn `start`. */
  readonly startZone: string;
  /** A folder, relative to the game's, with a module for each kind, whose default export is a {@link Kind}; `hen.ts` makes the kind `hen`. */
  readonly scripts: string;
  /** What a new character is like. `speed` is in tiles a second, `radius` in tiles. */
  readonly character: {
    readonly body: MessageInitShape<typeof BodySchema>;
    readonly components: readonly Message[];
  };
  /** How far characters see, in tiles: 1 to 64. */
  readonly viewRadius: number;
  /** Ticks of the simulation a second: 1 to 60. */
  readonly tickRateHz: number;
}

/** Declares a game. To be the default export of its `game.ts`. */
export function defineGame(game: Game): Game {
  return game;
}

/** Declares a kind of creature or thing. To be the default export of its script. */
export function defineKind(kind: Kind): Kind {
  return kind;
}
