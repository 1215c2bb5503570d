import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Message } from "@bufbuild/protobuf";
import type { BodySchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { Place } from "./movement.ts";
import type { Priority, Wait } from "./scheduler.ts";

/** A kind of creature or thing: what it is like and what it does by itself. */
export interface Kind {
  /** Whether it lives. It decides the `EntityKind` that clients see. */
  readonly is: "creature" | "object";
  /** What its Body begins with. `speed` is in tiles a second, `radius` in tiles. */
  readonly body: MessageInitShape<typeof BodySchema>;
  /** The components it begins with besides the Body. */
  readonly components?: readonly Message[];
  /** How urgent its behaviour is. `normal` unless given. */
  readonly priority?: Priority;
  /**
   * What it does, from its birth on: a generator that yields how long it waits. It may be begun anew at
   * any time, so what it must remember belongs into a component.
   */
  run?(self: Self): Generator<Wait, void, void>;
  /** Somebody within earshot said something. */
  onHear?(self: Self, speaker: string, text: string): void;
}

/** The kinds of a game by name. */
export type Kinds = ReadonlyMap<string, Kind>;

/** What a behaviour can do. Each call counts towards the budget of the step that makes it. */
export interface Self {
  readonly name: string;
  readonly position: Place;
  /** Whether it is on its way somewhere. */
  readonly walking: boolean;
  /** To be yielded: how long to wait, in seconds of the zone's time. */
  wait(seconds: number): Wait;
  /** Says something to all within earshot. */
  say(text: string): void;
  /** Says one of several things. */
  sayOneOf(texts: readonly string[]): void;
  /** Walks to a place; false when no way leads there. */
  walkTo(place: Place): boolean;
  /** Walks to some place within a distance in tiles of its home or, without one, of where it is. */
  stroll(distance: number, home?: Place): boolean;
  stop(): void;
  /** A component of its own; undefined when it has none of that type. */
  get<S extends DescMessage>(schema: S): MessageShape<S> | undefined;
  /** Sets fields of a component of its own. */
  set<S extends DescMessage>(schema: S, fields: MessageInitShape<S>): void;
  /** Names of the characters within a distance in tiles, the nearest first. */
  charactersWithin(distance: number): string[];
  /** Where somebody in the zone is. */
  placeOf(name: string): Place | undefined;
  /** A number in [0, 1) from the zone's generator. */
  random(): number;
  /** One of the items. */
  pick<T>(items: readonly T[]): T;
}
