import { GENERATOR_LIMIT } from "../results.ts";
import { number, table } from "../report/table.ts";
import type { LoadedStretch, UnaryResults } from "./measure.ts";
import { ALONE } from "./order.ts";
import type { AloneName, CallName, CallResult } from "./order.ts";
import { QUIET } from "./stretches.ts";

/** What each call is compared with: what bounds it, done without a server. */
const BESIDE: Record<CallName, readonly AloneName[]> = {
  Login: ["hash", "login"],
  New: ["hash", "new"],
  Get: ["find"],
  Set: ["save", "batch"],
  Edit: ["edit"],
};
const TITLES = { pglite: "The embedded database (PGlite)", postgres: "PostgreSQL" } as const;

/** The report of the calls under load, as Markdown. `missing`: why a database was left out. */
export function writeUnaryReport(
  heading: { readonly date: string; readonly machine: string; readonly seconds: number },
  results: readonly UnaryResults[],
  missing: string | undefined,
): string {
  const parts = [
    "# Calls under load",
    `${heading.date}. ${heading.machine}.`,
    `Each call alone and then all at once, ${heading.seconds} s each, as fast as the server answers, while ` +
      "players walk about. Trust the ratios, not the absolute values. How it works: `docs/performance.md`.",
    ...results.map(writeDatabase),
    ...(missing === undefined ? [] : [missing]),
  ];
  return `${parts.join("\n\n")}\n`;
}

function writeDatabase(results: UnaryResults): string {
  const { database, stretches, alone } = results;
  const callRows = stretches.flatMap((stretch) =>
    stretch.calls.map((call) => writeCall(stretch, call, results)),
  );
  const callHead = ["stretch", "call", "connections", "calls a s", "p50, ms", "p99, ms", "beside"];
  const tickHead = [
    "stretch",
    "ticks",
    "p99 between ticks, ms",
    "longest, ms",
    "late ticks",
    "of them by itself",
    "p99 between updates, ms",
    "longest, ms",
    "server, % of a core",
    "by other threads",
    "ticking thread without a core, %",
  ];
  const aloneRows = alone.map(({ what, perSecond }) => [ALONE[what], number(perSecond)]);
  return [
    `## ${TITLES[database]}`,
    table(callHead, callRows),
    "Beside: the calls as a multiple of what was done without a server.",
    table(["without a server", "a second"], aloneRows),
    `Ticks: ${lateSum(stretches)} of ${sum(stretches, ({ count }) => count)} late, by the server's clock, that is, ` +
      `more than 1.5 periods after the one before; ${sum(stretches, ({ lateByItself }) => lateByItself)} of them by ` +
      "itself: the others waited for a core that something else had.",
    table(tickHead, stretches.map(writeTicks)),
  ].join("\n\n");
}

function writeCall(stretch: LoadedStretch, result: CallResult, { alone }: UnaryResults): string[] {
  const { call, connections, perSecond, p50, p99 } = result;
  const beside = BESIDE[call].flatMap((name) => {
    const found = alone.find(({ what }) => what === name);
    return found ? [`${(perSecond / found.perSecond).toFixed(2)} × ${name}`] : [];
  });
  const busy = stretch.generatorCpu > GENERATOR_LIMIT ? " (generator busy)" : "";
  return [
    stretch.name + busy,
    call,
    String(connections),
    number(perSecond),
    number(p50),
    number(p99),
    stretch.calls.length === 1 ? beside.join(", ") : "",
  ];
}

function writeTicks(stretch: LoadedStretch): string[] {
  const { name, ticks, intervalP99, intervalMax, serverCpu, otherThreadsCpu } = stretch;
  return [
    name,
    String(ticks.count),
    number(ticks.p99),
    number(ticks.longest),
    ticks.late > 0 ? `**${ticks.late}**` : "0",
    String(ticks.lateByItself),
    number(intervalP99),
    number(intervalMax),
    number(serverCpu * 100),
    number(otherThreadsCpu * 100),
    number(stretch.mainWaited * 100),
  ];
}

function lateSum(stretches: readonly LoadedStretch[]): number {
  return sum(
    stretches.filter(({ name }) => !name.startsWith(QUIET)),
    ({ late }) => late,
  );
}

function sum(
  stretches: readonly LoadedStretch[],
  figure: (ticks: LoadedStretch["ticks"]) => number,
): number {
  return stretches.reduce((total, { ticks }) => total + figure(ticks), 0);
}
