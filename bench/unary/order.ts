import type { Order } from "../load/order.ts";

/** The calls that are loaded. */
export const CALLS = ["Login", "New", "Get", "Set", "Edit"] as const;
export type CallName = (typeof CALLS)[number];

/** How many connections make which call, each the next one as soon as the last one was answered. */
export type Crew = Partial<Record<CallName, number>>;

/** Players that call: so many that the limits of all of them together, 100 Gets a second each, are above what a server on one core answers. */
export const MAX_CALLERS = 400;

/** The password of everybody who logs in. */
export const PASSWORD = "correct horse battery";

/** Where the server keeps its world. */
export type DatabaseChoice =
  | { readonly kind: "pglite" }
  | { readonly kind: "postgres"; readonly url: string };

/** What the server's process and that of the database alone are told, as their only argument in JSON. */
export interface UnarySettings {
  readonly database: DatabaseChoice;
  readonly dataDir: string;
  readonly walkers: number;
  readonly neighbours: number;
  readonly seconds: number;
}

/** What the server's process says when it can be called. */
export interface UnaryReady {
  readonly port: number;
  readonly walkers: readonly string[];
  /** Tokens of players, of whom nobody walks. */
  readonly callers: readonly string[];
  /** Tokens of builders. */
  readonly builders: readonly string[];
  /** Accounts that log in. */
  readonly logins: readonly string[];
}

/** When a tick came, in milliseconds since 1970-01-01, and how long the ticking thread had waited for a core by then. */
export interface TickMoment {
  readonly at: number;
  /** In milliseconds since the start; NaN where the kernel does not tell. */
  readonly waitedMs: number;
}

/** A while in which some calls are loaded. */
export interface Stretch {
  readonly name: string;
  readonly crew: Crew;
}

/** What the generator is to do: the first message to its process. */
export interface UnaryOrder extends Omit<UnaryReady, "walkers"> {
  readonly walk: Order;
  readonly stretches: readonly Stretch[];
  readonly seconds: number;
}

/** How one call fared. Times in milliseconds. */
export interface CallResult {
  readonly call: CallName;
  readonly connections: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** What the generator saw in a stretch. Moments in milliseconds since 1970-01-01. */
export interface StretchResult {
  readonly name: string;
  readonly begun: number;
  readonly ended: number;
  readonly calls: readonly CallResult[];
  /** The time between two updates, over all walkers. */
  readonly intervalP99: number;
  readonly intervalMax: number;
  /** Parts of one core. */
  readonly serverCpu: number;
  readonly otherThreadsCpu: number;
  /** The part of the time in which the server's main thread was ready to run and had no core. */
  readonly mainWaited: number;
  readonly generatorCpu: number;
}

/** What the generator's process says last. */
export type UnaryReport =
  | { readonly kind: "done"; readonly stretches: readonly StretchResult[] }
  | { readonly kind: "failed"; readonly reason: string };

/** Something that was done without a server. */
export interface AloneResult {
  readonly what: AloneName;
  readonly perSecond: number;
}

/** What is done without a server, and how the report calls it. */
export const ALONE = {
  hash: "the password's hash, as many at once as the server computes",
  login: "the statements of a Login, without the hash",
  new: "the statements of a New, without the hash",
  find: "reading a character",
  save: "one row a commit, as many at once as call Set",
  batch: "rows of one commit after the other, with all who call Set in each",
  edit: "one edit a commit, one after the other",
} as const;
export type AloneName = keyof typeof ALONE;
