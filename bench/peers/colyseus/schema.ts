import { schema, t } from "@colyseus/schema";
import type { SchemaType } from "@colyseus/schema";

/** On maps up to 255 tiles wide a place fits into 16 bits, which is the least that Colyseus can send it in. */
const NARROW_UNITS = 65_535;

/** The state of the room. With `filtered` each client is sent only what its `StateView` holds. */
export function createStateTypes(options: {
  readonly filtered: boolean;
  readonly maxUnits: number;
}) {
  const isNarrow = options.maxUnits <= NARROW_UNITS;
  const Player = isNarrow
    ? schema({ x: t.uint16(), y: t.uint16() }, "Player")
    : schema({ x: t.uint32(), y: t.uint32() }, "Player");
  const players = t.map(Player);
  const State = schema({ players: options.filtered ? players.view() : players }, "State");
  return { Player, State };
}

export type Player = SchemaType<ReturnType<typeof createStateTypes>["Player"]>;
export type State = SchemaType<ReturnType<typeof createStateTypes>["State"]>;
