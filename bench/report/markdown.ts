import type { PhaseResult } from "../load/order.ts";
import { GENERATOR_LIMIT, isLate, median, medianOf, movesOf } from "../results.ts";
import type { Capacity, Cell, Results, Size } from "../results.ts";
import { describe } from "../run/sweep.ts";
import { TICK_RATE_HZ, VIEW_RADIUS_TILES } from "../world/rules.ts";
import { listAims, verdict } from "./aims.ts";
import { number, table } from "./table.ts";

/** What stands above the tables. */
export interface Heading {
  readonly date: string;
  readonly machine: string;
  readonly versions: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  /** The file of the chart, relative to the report; undefined: there is none. */
  readonly chart: string | undefined;
}

/** The report as Markdown. */
export function writeReport(heading: Heading, results: Results): string {
  const sizes = [...new Set(results.worlds.map(({ size }) => size))];
  const parts = [
    writeHeading(heading),
    writeAims(results),
    ...(heading.chart === undefined ? [] : [`![Server CPU per player and tick](${heading.chart})`]),
    ...(results.capacities.length > 0 ? [writeCapacities(results.capacities)] : []),
    ...sizes.map((size) => writeWorld(size, results.worlds)),
    ...(results.calls.length > 0 ? [writeCalls(results.calls)] : []),
    writeTroubles(results),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function writeHeading({ date, machine, versions, rounds, seconds }: Heading): string {
  return [
    "# Benchmark",
    `${date}. ${machine}. ${versions.join(", ")}.`,
    `The same world for all: players who walk about their homes, ${TICK_RATE_HZ} ticks a second, a view of ` +
      `${VIEW_RADIUS_TILES} tiles, places in 1/256 tile. Medians of ${rounds} ${rounds === 1 ? "round" : "rounds"}, ` +
      `${seconds} s each. Trust the ratios, not the absolute values. How it works: \`docs/performance.md\`.`,
  ].join("\n\n");
}

function writeAims(results: Results): string {
  const rows = listAims(results).map((aim) => {
    const { what, kind, unit, measured } = aim;
    const figure = measured > 0 ? `${measured.toFixed(2)} ${unit}` : "–";
    return [what, `${kind} ${aim.aim} ${unit}`, figure, verdict(aim)];
  });
  return `## Aims\n\n${table(["what", "aim", "measured", ""], rows)}`;
}

function writeCapacities(capacities: readonly Capacity[]): string {
  const own = capacities.find(({ candidate }) => candidate.name === "realmwire")?.held;
  const rows = capacities.map(({ candidate, held, notHeld, cpuWhenNotHeld, ...rest }) => [
    candidate.title,
    `${held}${rest.byGenerator ? " (the load generator was at its limit)" : ""}`,
    notHeld === undefined ? "–" : String(notHeld),
    number((cpuWhenNotHeld ?? Number.NaN) * 100),
    own === undefined || held === 0 ? "–" : `${(own / held).toFixed(1)} ×`,
    number(rest.moveP99AtLoad ?? Number.NaN),
  ]);
  const head = [
    "",
    "players held",
    "not held",
    "core used there, %",
    "realmwire to it",
    "p99 of a Move at 70 %, ms",
  ];
  const first = capacities[0]?.neighbours ?? "";
  return (
    `## Players that one core holds\n\n${first} neighbours, 5 Moves a second each; held: the p99 of the time ` +
    `between two updates is at most 1.5 periods, for at least twelve seconds, in one of two tries. Where a server did not hold them with much of its core unused, something else was in the way, and the figure says nothing.\n\n${table(head, rows)}`
  );
}

const FIGURES: readonly (readonly [string, string, (result: PhaseResult) => number])[] = [
  ["CPU, µs a player and tick", "moves", (r) => r.cpuMicrosPerPlayerTick],
  ["without Moves", "still", (r) => r.cpuMicrosPerPlayerTick],
  ["core used, %", "moves", (r) => r.serverCpu * 100],
  ["by other threads, %", "moves", (r) => r.otherThreadsCpu * 100],
  ["p99 interval, ms", "moves", (r) => r.intervalP99],
  ["bytes a player and s", "moves", (r) => r.bytesPerPlayerSecond],
  ["updates alone", "moves", (r) => r.updateBytesPerPlayerSecond],
  ["Move p50, ms", "moves", (r) => r.moveP50],
  ["p99", "moves", (r) => r.moveP99],
  ["Move to seen p50, ms", "moves", (r) => r.seenP50],
  ["p99", "moves", (r) => r.seenP99],
];

function writeWorld(size: Size, worlds: readonly Cell[]): string {
  const rows = worlds
    .filter((cell) => cell.size === size)
    .map((cell) => [
      cell.candidate.title + remarks(cell),
      ...FIGURES.map(([, phase, figure]) => number(medianOf(cell, phase, figure))),
      number(median(cell.outcomes.map(({ residentPerPlayer }) => residentPerPlayer / 1000))),
      number(median(cell.outcomes.map(({ heapPerPlayer }) => heapPerPlayer / 1000))),
      number(median(cell.outcomes.map(({ meanSeen }) => meanSeen - 1))),
    ]);
  const head = [
    "",
    ...FIGURES.map(([title]) => title),
    "memory a player, kB",
    "heap",
    "others in view",
  ];
  return `## ${describe(size)}\n\n${table(head, rows)}`;
}

function remarks(cell: Cell): string {
  return [
    isLate(cell) ? " (late ticks)" : "",
    movesOf(cell).some(({ generatorCpu }) => generatorCpu > GENERATOR_LIMIT)
      ? " (generator busy)"
      : "",
    cell.failures.length > 0 ? " (failed)" : "",
  ].join("");
}

function writeCalls(calls: readonly Cell[]): string {
  const rows = calls.map((cell) => [
    cell.candidate.title,
    number(medianOf(cell, "calls", (result) => result.cpuMicrosPerCall)),
    number(medianOf(cell, "calls", (result) => result.moveP50)),
    number(medianOf(cell, "calls", (result) => result.moveP99)),
  ]);
  const runs = Math.max(...calls.map(({ outcomes }) => outcomes.length));
  const note = `100 connections, 25 calls a second each; CPU beyond what the idle server uses. Medians of ${runs}.`;
  const head = ["", "CPU, µs a call", "p50, ms", "p99, ms"];
  return `## A unary Move alone\n\n${note}\n\n${table(head, rows)}`;
}

function writeTroubles({ worlds, calls, leftOut }: Results): string {
  const failures = [...worlds, ...calls].flatMap((cell) =>
    cell.failures.map((why) => `- ${cell.candidate.title}, ${describe(cell.size)}: ${why}`),
  );
  const late = leftOut > 0 ? [`- There was no time for ${leftOut} runs.`] : [];
  const lines = [...failures, ...late];
  return lines.length === 0 ? "" : `## What went wrong\n\n${lines.join("\n")}`;
}
