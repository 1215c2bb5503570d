import { EntityKind } from "../../ts/index.ts";
import type { WorldEntity } from "../../ts/index.ts";
import { COLORS } from "../terminal/paint.ts";
import type { Style } from "../terminal/paint.ts";
import { lettersOf, printable } from "../terminal/printable.ts";

/** The sign of a kind of thing on the map, one column wide. */
export interface Glyph {
  readonly sign: string;
  readonly style: Style;
  /** What it stands for, for the legend. */
  readonly meaning: string;
}

/** Gives each kind of thing its sign, and keeps it: a sign never changes its meaning while the program runs. */
export interface Glyphs {
  of(entity: WorldEntity, self: WorldEntity | undefined): Glyph;
}

const SELF: Style = { bold: true, color: COLORS.black, background: COLORS.white };
const OTHER: Style = { bold: true, color: COLORS.black, background: COLORS.yellow };
const CREATURE: Style = { bold: true, color: COLORS.white, background: [88, 1] };
const THING: Style = { bold: true, color: COLORS.white, background: [18, 4] };

/** Creates glyphs. Characters are `@`; creatures have a small letter of their visual's name, things a capital. */
export function createGlyphs(): Glyphs {
  const taken = new Map<string, string>();
  const signs = new Map<string, string>();

  const signOf = (visual: string, isThing: boolean): string => {
    const key = `${isThing}${visual}`;
    const known = signs.get(key);
    if (known !== undefined) return known;
    const usable = lettersOf(printable(isThing ? visual.toUpperCase() : visual.toLowerCase()))
      .filter(({ letter, width }) => /[\p{L}\p{N}]/u.test(letter) && width === 1)
      .map(({ letter }) => letter);
    // The first letter that is free, else one that means two things, which the legend tells.
    const sign = usable.find((letter) => !taken.has(letter)) ?? usable[0] ?? "?";
    taken.set(sign, key);
    signs.set(key, sign);
    return sign;
  };

  return {
    of(entity, self) {
      if (entity.id === self?.id) return { sign: "@", style: SELF, meaning: "you" };
      if (entity.kind === EntityKind.CHARACTER) {
        return { sign: "@", style: OTHER, meaning: "players" };
      }
      const visual = entity.visual.replace(/-\d+$/, "") || entity.name;
      const isThing = entity.kind === EntityKind.OBJECT;
      const style = isThing ? THING : CREATURE;
      return { sign: signOf(visual, isThing), style, meaning: visual };
    },
  };
}
