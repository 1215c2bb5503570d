import { meadowScripts, urlOf, writeGame } from "./broken-game.ts";

/** A crier who takes what is said to him to heart. */
const CRIER = `
  import { create } from ${urlOf("node_modules/@bufbuild/protobuf/dist/esm/index.js")};
  import { CreatureSchema } from ${urlOf("gen/ts/meadow/v1/components_pb.ts")};
  export default {
    is: "creature",
    body: { visual: "crier", speed: 1, radius: 0.35, physical: true },
    components: [create(CreatureSchema, { health: 30, maxHealth: 30 })],
    onHear(self, speaker, text) {
      if (text === "exit") process.exit(7);
      if (text === "throw") setImmediate(() => { throw new Error("outside of any tick"); });
      if (text === "hang") for (;;);
      if (text === "fail") throw new Error("at home");
    },
  };`;

/** Writes the default game with a crier in town who, on a word, ends his thread: `exit`, `throw` or `hang`. On `fail` only his behaviour fails. */
export async function writeDeadlyGame(): Promise<string> {
  return await writeGame({ scripts: await meadowScripts({ "crier.ts": CRIER }) });
}
