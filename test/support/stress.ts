import { createRandom, randomStateOf } from "../../server/sim/random.ts";

/** How many times as much as in CI a test is to do; `npm run stress` sets it. */
export const STRESS = "REALMWIRE_STRESS";
/** What chance in a test begins from. */
export const SEED = "REALMWIRE_SEED";

const times = Number(process.env[STRESS] ?? 1);

/** A number of rounds, or a time limit, that grows with what is asked for. */
export function scaled(count: number): number {
  return Math.round(count * times);
}

/** The chance of a test, the same for the same seed and name. */
export function seededChance(name: string): () => number {
  return createRandom(randomStateOf(`${process.env[SEED] ?? "realmwire"} ${name}`)).next;
}

/** Tells what was done, for people who asked for more than CI does. */
export function report(what: string): void {
  if (times > 1) process.stdout.write(`STRESS: ${what}\n`);
}
