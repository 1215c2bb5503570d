import { table } from "../report/table.ts";
import { measureCosts, NEIGHBOURS } from "./measure.ts";
import type { Cost } from "./measure.ts";

/** The populations that are compared. */
const SIZES = [100, 300, 1_000, 3_000, 10_000];
/** The one that the others are compared with. */
const COMPARED_WITH = 1_000;
const ROUNDS = 15;

/** Measures what a viewer and tick costs in small and large populations, and writes it as a section in Markdown. */
export function reportCosts(): string {
  return writeCosts(measureCosts(SIZES, { rounds: ROUNDS, figure: "median" }));
}

/** The table of costs. */
export function writeCosts(costs: readonly Cost[]): string {
  const base = costs.find(({ size }) => size === COMPARED_WITH);
  const ratio = (cost: Cost, figure: (cost: Cost) => number) =>
    base ? `${(figure(cost) / figure(base)).toFixed(2)} ×` : "–";
  const both = ({ step, look }: Cost) => step + look;
  const rows = costs.map((cost) => [
    String(cost.size),
    cost.step.toFixed(2),
    ratio(cost, ({ step }) => step),
    cost.look.toFixed(2),
    ratio(cost, ({ look }) => look),
    both(cost).toFixed(2),
    ratio(cost, both),
    cost.bytes.toFixed(0),
  ]);
  const head = [
    "entities",
    "step, µs",
    `to ${COMPARED_WITH}`,
    "look and write, µs",
    `to ${COMPARED_WITH}`,
    "both, µs",
    `to ${COMPARED_WITH}`,
    "bytes a message",
  ];
  return [
    "## The cost of one among few and among many",
    `Walking characters at the same density, ${NEIGHBOURS} others in view of each, each with a viewer; CPU for each of ` +
      `them and each tick, without port and sockets. Medians of ${ROUNDS} rounds in turn. What is looked at for one of ` +
      "them does not grow with the population; what does grow is the memory that all of them together go through each " +
      "tick, and the less of that the processor's caches hold, the dearer the same work is.",
    table(head, rows),
  ].join("\n\n");
}
