import type { DescMessage } from "@bufbuild/protobuf";
import {
  CounterSchema,
  CreatureSchema,
  PurseSchema,
  SignSchema,
} from "../../gen/ts/meadow/v1/components_pb.ts";
import { BodySchema, PresenceSchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { meadowScripts, urlOf, writeGame } from "./broken-game.ts";
import { ProbeSchema } from "./probe.ts";

/** The kind of thing that has every component but those of characters. */
export const CHEST = "chest";
/** A chest that changes its attributes all the time. */
export const RESTLESS_CHEST = "restless-chest";

const IMPORTS = `
  import { create } from ${urlOf("node_modules/@bufbuild/protobuf/dist/esm/index.js")};
  import * as meadowTypes from ${urlOf("gen/ts/meadow/v1/components_pb.ts")};
  import { filledProbe, ProbeSchema } from ${urlOf("test/support/probe.ts")};`;

const CHEST_SCRIPT = `${IMPORTS}
  const { CounterSchema, CreatureSchema, PurseSchema, SignSchema } = meadowTypes;
  export default {
    is: "object",
    body: { visual: "chest", speed: 1, radius: 0.3, scale: 1, rotation: 90, states: ["open"] },
    components: [
      create(CounterSchema, { count: 3n }),
      create(CreatureSchema, { health: 5, maxHealth: 6, mood: "wooden" }),
      create(PurseSchema, { gold: 70n, notes: "chest notes", steps: 4n, luck: 0.75 }),
      create(SignSchema, { text: "a chest" }),
      filledProbe(),
    ],
  };`;

const RESTLESS_SCRIPT = `${IMPORTS}
  import chest from "./${CHEST}.ts";
  const { CreatureSchema, PurseSchema } = meadowTypes;
  export default {
    ...chest,
    *run(self) {
      for (;;) {
        yield self.wait(0.2);
        const some = Math.floor(self.random() * 100);
        self.set(PurseSchema, { gold: BigInt(some), luck: some, notes: \`note \${some}\` });
        if (some % 3 === 0) self.set(CreatureSchema, { health: some });
        if (some % 2 === 0) self.set(ProbeSchema, filledProbe());
      }
    },
  };`;

/** All components of the game that {@link writeProbeGame} writes. */
export const PROBE_GAME_COMPONENTS: readonly DescMessage[] = [
  BodySchema,
  PresenceSchema,
  CreatureSchema,
  PurseSchema,
  SignSchema,
  CounterSchema,
  ProbeSchema,
];

/** Writes the default game with the probe on characters, and a kind of chest that has every component. */
export async function writeProbeGame(): Promise<string> {
  return await writeGame({
    head: IMPORTS,
    scripts: await meadowScripts({
      [`${CHEST}.ts`]: CHEST_SCRIPT,
      [`${RESTLESS_CHEST}.ts`]: RESTLESS_SCRIPT,
    }),
    fields: `
      proto: { components: [...meadow.proto.components, ProbeSchema] },
      character: {
        ...meadow.character,
        components: [...meadow.character.components, filledProbe()],
      },`,
  });
}
