import { Command, InvalidArgumentError } from "commander";
import { CANDIDATES } from "./candidates.ts";
import type { Neighbours } from "./world/scenario.ts";

/** The most players that the plain holds at ordinary densities. */
const MAX_PLAYERS = 10_000;

/** Which benchmark is run: this server beside others, or one of its own. */
export type BenchKind = "peers" | "unary" | "cost" | "check";

/** What is to be measured. */
export interface BenchOptions {
  readonly kind: BenchKind;
  /** Whether what is measured becomes the baseline that later checks compare with. */
  readonly updateBaseline: boolean;
  readonly quick: boolean;
  readonly players: readonly number[];
  readonly neighbours: readonly Neighbours[];
  /** How long each stretch is measured. */
  readonly seconds: number;
  /** How long each server is warmed up. */
  readonly warmUpSeconds: number;
  /** How often everything is measured; the medians are reported. */
  readonly rounds: number;
  /** Whose worlds are measured. */
  readonly candidates: readonly string[];
  /** Whose single calls are measured. */
  readonly callers: readonly string[];
  /** Of whom the most players that one core holds are looked for. */
  readonly searched: readonly string[];
  /** Where the report goes; undefined: only to standard output. */
  readonly out: string | undefined;
  /** Where CPU profiles of the servers go; undefined: none are taken. */
  readonly profile: string | undefined;
}

/** In the quick form: those whose ratios are asked for, the most telling first, so that it stays below two minutes. */
const QUICK_CANDIDATES = [
  "realmwire",
  "colyseus",
  "ws",
  "realmwire-h2c",
  "grpc-js",
  "connect-node",
];
const QUICK_CALLERS = ["realmwire", "node-http"];

/** Reads the command line; prints the help and exits when asked to. */
export function readOptions(argv: readonly string[]): BenchOptions {
  const options = createCommand().parse(argv, { from: "user" }).opts<Given>();
  const quick = options.quick === true;
  const kind = kindOf(options);
  return {
    kind,
    updateBaseline: options.updateBaseline === true,
    quick,
    players: options.players ?? (quick ? [200] : [200, 1000]),
    neighbours: options.neighbours ?? (quick ? [30] : [20, 30, 50, "camp"]),
    seconds: options.seconds ?? (quick ? 2 : 5),
    warmUpSeconds: quick ? 2 : 8,
    rounds: options.rounds ?? (quick ? 1 : 3),
    candidates: options.candidates ?? (quick ? QUICK_CANDIDATES : ALL),
    callers: options.callers ?? options.candidates ?? (quick ? QUICK_CALLERS : ALL),
    searched: options.search && !quick ? (options.searched ?? options.candidates ?? ALL) : [],
    out: options.out ?? (quick || kind !== "peers" ? undefined : "bench/report.md"),
    profile: options.profile,
  };
}

const ALL = CANDIDATES.map(({ name }) => name);

function kindOf({ unary, cost, check, updateBaseline }: Given): BenchKind {
  if (unary) return "unary";
  if (cost) return "cost";
  return check || updateBaseline ? "check" : "peers";
}

interface Given {
  readonly unary?: boolean;
  readonly cost?: boolean;
  readonly check?: boolean;
  readonly updateBaseline?: boolean;
  readonly quick?: boolean;
  readonly players?: number[];
  readonly neighbours?: Neighbours[];
  readonly seconds?: number;
  readonly rounds?: number;
  readonly candidates?: string[];
  readonly callers?: string[];
  readonly search: boolean;
  readonly searched?: string[];
  readonly out?: string;
  readonly profile?: string;
}

function createCommand(): Command {
  const names = CANDIDATES.map(({ name }) => name).join(", ");
  return new Command("bench")
    .usage("[options]   (with npm: npm run bench -- [options])")
    .description(
      "Measures this server beside others, all in the same world, on this machine: server CPU, memory and bytes " +
        "for each player, how many players one core holds, and how long a Move takes. The first run installs the " +
        "others' packages below bench/peers. The full form takes an hour or two and writes bench/report.md; the " +
        "quick form takes less than two minutes, the first installation aside, and prints the ratios.",
    )
    .option("--quick", "the short form: one round, one size of world, nothing is written")
    .option(
      "--unary",
      "instead: Login, New, Get, Set and Edit under load on PGlite and PostgreSQL, beside what the database does alone",
    )
    .option(
      "--cost",
      "instead: what one viewer and tick costs among 100 to 10,000 at the same density",
    )
    .option(
      "--check",
      "instead: compares ratios with bench/baseline.json and fails when one has grown too much",
    )
    .option("--update-baseline", "measures as --check does and writes bench/baseline.json")
    .option("--players <list>", "players in the world, as in 200,1000", list(wholeNumber))
    .option(
      "--neighbours <list>",
      "others in view on average, or camp: 20,30,camp",
      list(neighbours),
    )
    .option("--seconds <number>", "how long each stretch is measured", wholeNumber)
    .option("--rounds <number>", "how often everything is measured; medians count", wholeNumber)
    .option("--candidates <list>", `some of ${names}`, list(String))
    .option("--callers <list>", "whose single calls are measured; as --candidates", list(String))
    .option(
      "--searched <list>",
      "whose most players that one core holds are looked for; as --candidates",
      list(String),
    )
    .option("--no-search", "leaves that out")
    .option("--out <file>", "where the report goes; its chart goes beside it, as .svg")
    .option("--profile <folder>", "takes CPU profiles of the servers into a folder")
    .allowExcessArguments(false);
}

function list<T>(read: (text: string) => T): (text: string) => T[] {
  return (text) => text.split(",").map((item) => read(item.trim()));
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= MAX_PLAYERS) return number;
  throw new InvalidArgumentError(`must be a whole number from 1 to ${MAX_PLAYERS}.`);
}

function neighbours(text: string): Neighbours {
  return text === "camp" ? "camp" : wholeNumber(text);
}
