import type { Outcome, PhaseResult } from "../load/order.ts";
import { median, medianOf } from "../results.ts";
import type { Capacity, Cell, Results } from "../results.ts";
import { TICK_MS, TICK_RATE_HZ } from "../world/rules.ts";

/** Below this part of all updates a server no longer keeps up, and its CPU says nothing about the work. */
const KEEPS_UP = 0.8;
/** Below this part of its core something else than work kept a server from holding more players. */
const USES_ITS_CORE = 0.7;

/** Something that is to be reached, and what was measured. */
export interface Aim {
  readonly what: string;
  readonly kind: "at least" | "at most";
  readonly aim: number;
  /** NaN: it was not measured. */
  readonly measured: number;
  readonly unit: string;
  /** Why the figure says less than it seems to. */
  readonly doubt?: string;
}

/** Whether an aim was reached, and if not, by how much it was missed. */
export function verdict({ kind, aim, measured, doubt }: Aim): string {
  if (!(measured > 0)) return "not measured";
  const reached = kind === "at least" ? measured >= aim : measured <= aim;
  if (reached) return doubt === undefined ? "**met**" : `met, in doubt: ${doubt}`;
  const missing = Math.abs(measured / aim - 1) * 100;
  return `not met: ${missing.toFixed(0)} % ${kind === "at least" ? "too little" : "too much"}`;
}

/** All aims of the hot path with what was measured, at the density of the aims or the one nearest to it. */
export function listAims(results: Results): Aim[] {
  return [...capacityAims(results), ...worldAims(results), ...callAims(results)];
}

/** Others in view in the world that the aims speak of. */
export const AIM_NEIGHBOURS = 30;

function capacityAims(results: Results): Aim[] {
  const { capacities } = results;
  const isSearched = capacities.length > 0;
  const held = (name: string) => capacities.find(({ candidate }) => candidate.name === name);
  const ratio = (own: string, peer: string, aim: number): Aim => ({
    what: `players held${isSearched ? "" : " (estimated by CPU)"}: ${own} to ${peer}`,
    kind: "at least",
    aim,
    measured: isSearched
      ? (held(own)?.held ?? Number.NaN) / (held(peer)?.held ?? Number.NaN)
      : 1 / compare(results.worlds, "moves", own, peer, (r) => r.cpuMicrosPerPlayerTick),
    unit: "×",
    ...doubtOf(held(peer)),
  });
  const delay = (name: string): Aim => ({
    what: `p99 of a Move at 70 % load: ${name}`,
    kind: "at most",
    aim: TICK_MS / 2,
    measured: held(name)?.moveP99AtLoad ?? Number.NaN,
    unit: "ms",
  });
  return [
    ratio("realmwire", "colyseus", 2.2),
    ratio("realmwire", "grpc-js", 3),
    ratio("realmwire", "connect-node", 6),
    ratio("realmwire-h2c", "colyseus", 1.7),
    ratio("realmwire-h2c", "grpc-js", 2),
    ...(isSearched ? [delay("realmwire"), delay("realmwire-h2c-unary")] : []),
  ];
}

function doubtOf(peer: Capacity | undefined): { doubt?: string } {
  const used = peer?.cpuWhenNotHeld ?? 1;
  if (!peer || used >= USES_ITS_CORE) return {};
  const unused = ((1 - used) * 100).toFixed(0);
  return { doubt: `${peer.candidate.name} was late with ${unused} % of its core unused` };
}

function worldAims({ worlds }: Results): Aim[] {
  const cpu = (phase: string, own: string, peer: string, aim: number): Aim => ({
    what: `CPU a player and tick, ${phase === "moves" ? "5 Moves a second" : "no Moves"}: ${own} to ${peer}`,
    kind: "at most",
    aim,
    measured: compare(worlds, phase, own, peer, (result) => result.cpuMicrosPerPlayerTick),
    unit: "×",
  });
  const bytes = (what: string, figure: (result: PhaseResult) => number): Aim => ({
    what: `${what} a player and second: realmwire to colyseus`,
    kind: "at most",
    aim: 0.8,
    measured: compare(worlds, "moves", "realmwire", "colyseus", figure),
    unit: "×",
  });
  const own = worlds.filter(({ candidate }) => candidate.name === "realmwire");
  const largest = Math.max(...own.map(({ size }) => size.players));
  const memory = (what: string, figure: (outcome: Outcome) => number): Aim => ({
    what: `${what} a player: realmwire`,
    kind: "at most",
    aim: 40,
    measured: median(
      own
        .filter(({ size }) => size.players === largest)
        .flatMap(({ outcomes }) => outcomes.map((outcome) => figure(outcome) / 1000)),
    ),
    unit: "kB",
  });
  return [
    cpu("moves", "realmwire", "ws", 1.25),
    cpu("still", "realmwire", "ws", 1.1),
    bytes("bytes", (result) => result.bytesPerPlayerSecond),
    bytes("bytes of updates alone", (result) => result.updateBytesPerPlayerSecond),
    memory("memory", ({ residentPerPlayer }) => residentPerPlayer),
    memory("memory that the heap holds", ({ heapPerPlayer }) => heapPerPlayer),
  ];
}

function callAims({ calls }: Results): Aim[] {
  const cost = (name: string) =>
    medianOf(
      calls.find(({ candidate }) => candidate.name === name),
      "calls",
      (result) => result.cpuMicrosPerCall,
    );
  return [
    {
      what: "CPU of a unary Move: realmwire to node-http",
      kind: "at most",
      aim: 1.5,
      measured: cost("realmwire") / cost("node-http"),
      unit: "×",
    },
    {
      what: "CPU of a unary Move: realmwire-h2c-unary to node-http2",
      kind: "at most",
      aim: 1.3,
      measured: cost("realmwire-h2c-unary") / cost("node-http2"),
      unit: "×",
    },
  ];
}

/** One candidate's figure as a multiple of another's, in the largest world in which both kept up. */
export function compare(
  worlds: readonly Cell[],
  phase: string,
  own: string,
  peer: string,
  figure: (result: PhaseResult) => number,
): number {
  const near = (cell: Cell) =>
    cell.size.neighbours === "camp" ? Infinity : Math.abs(cell.size.neighbours - AIM_NEIGHBOURS);
  const nearest = Math.min(...worlds.map(near));
  const sizes = worlds
    .filter((cell) => near(cell) === nearest && cell.candidate.name === own)
    .toSorted((a, b) => b.size.players - a.size.players);
  for (const ours of sizes) {
    const theirs = worlds.find(
      ({ candidate, size }) => candidate.name === peer && size === ours.size,
    );
    if (!theirs || !keptUp(ours) || !keptUp(theirs)) continue;
    return medianOf(ours, phase, figure) / medianOf(theirs, phase, figure);
  }
  return Number.NaN;
}

/** By what it did with Moves: without them there is nothing to say in most ticks. */
function keptUp(cell: Cell): boolean {
  return medianOf(cell, "moves", (r) => r.updatesPerPlayerSecond) >= KEEPS_UP * TICK_RATE_HZ;
}
