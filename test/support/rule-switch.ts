import type { LoadedGame } from "../../server/load-game.ts";
import { VIEWER_CLASSES, VIEWER_NEAR } from "../../server/sim/components.ts";

/** Turns rules of a server off while it runs. */
export interface RuleSwitch {
  /** From now on everybody sees this attribute, such as `purse.gold`; undefined: all rules hold. */
  turnOff(attribute: string | undefined): void;
}

/** Makes the rules of `visible` of a loaded game such that each can be turned off. */
export function createRuleSwitch({ world }: LoadedGame): RuleSwitch {
  let off: string | undefined;
  for (const type of world.types.types) {
    for (const attribute of type.attributes) {
      const name = `${type.schema.name.toLowerCase()}.${attribute.field.name}`;
      const { seenFrom } = attribute;
      Object.defineProperty(attribute, "seenFrom", {
        get: () => (off === name ? VIEWER_NEAR : seenFrom),
      });
    }
    Object.defineProperty(type, "seenBy", {
      get: () =>
        VIEWER_CLASSES.map((viewer) =>
          type.attributes.some(({ seenFrom }) => seenFrom !== undefined && seenFrom <= viewer),
        ),
    });
  }
  return { turnOff: (attribute) => (off = attribute) };
}
