import { expect, test } from "vitest";
import { pickCandidates } from "../candidates.ts";
import type { Candidate } from "../candidates.ts";
import type { Outcome, PhaseResult } from "../load/order.ts";
import type { Cell, Results, Size } from "../results.ts";
import { compare, listAims, verdict } from "./aims.ts";
import { drawChart } from "./chart.ts";
import { writeReport } from "./markdown.ts";

const SIZE: Size = { players: 200, neighbours: 30 };

function phase(name: string, figures: Partial<PhaseResult>): PhaseResult {
  return {
    name,
    seconds: 5,
    cpuMicrosPerPlayerTick: 10,
    serverCpu: 0.1,
    otherThreadsCpu: 0,
    generatorCpu: 0.1,
    updatesPerPlayerSecond: 10,
    bytesPerPlayerSecond: 1000,
    updateBytesPerPlayerSecond: 900,
    intervalP50: 100,
    intervalP99: 110,
    moves: 100,
    movesLate: 0,
    moveP50: 1,
    moveP99: 2,
    seenP50: 50,
    seenP99: 100,
    seenCount: 10,
    cpuMicrosPerCall: 20,
    ...figures,
  };
}

function cell(name: string, size: Size, ...runs: readonly Partial<PhaseResult>[]): Cell {
  const outcomes = runs.map((figures): Outcome => ({
    phases: [phase("moves", figures), phase("still", figures)],
    meanSeen: 31,
    meanSeenAtEnd: 31,
    verified: 200,
    residentPerPlayer: 50_000,
    heapPerPlayer: 30_000,
  }));
  const [candidate] = pickCandidates([name]);
  if (!candidate) throw new Error(name);
  return { candidate, size, outcomes, failures: [] };
}

const cpu = (value: number) => ({ cpuMicrosPerPlayerTick: value });

test("ratios are those of the medians", () => {
  const worlds = [
    cell("realmwire", SIZE, cpu(20), cpu(90), cpu(30)),
    cell("ws", SIZE, cpu(10), cpu(20), cpu(30)),
  ];
  expect(compare(worlds, "moves", "realmwire", "ws", (r) => r.cpuMicrosPerPlayerTick)).toBe(1.5);
});

test("a world in which one did not keep up is not compared, a smaller one is", () => {
  const large = { players: 1000, neighbours: 30 };
  const worlds = [
    cell("realmwire", large, cpu(30)),
    cell("ws", large, { ...cpu(5), updatesPerPlayerSecond: 3 }),
    cell("realmwire", SIZE, cpu(20)),
    cell("ws", SIZE, cpu(10)),
  ];
  expect(compare(worlds, "moves", "realmwire", "ws", (r) => r.cpuMicrosPerPlayerTick)).toBe(2);
});

test("a verdict says by how much an aim was missed", () => {
  const aim = { what: "", aim: 2, unit: "×" };
  expect(verdict({ ...aim, kind: "at least", measured: 2 })).toBe("**met**");
  expect(verdict({ ...aim, kind: "at least", measured: 1.5 })).toBe("not met: 25 % too little");
  expect(verdict({ ...aim, kind: "at most", measured: 3 })).toBe("not met: 50 % too much");
  expect(verdict({ ...aim, kind: "at most", measured: Number.NaN })).toBe("not measured");
});

test("who was late while much of its core was unused is no measure of work", () => {
  const [own, peer] = pickCandidates(["realmwire", "grpc-js"]) as [Candidate, Candidate];
  const verdictWhen = (cpuWhenNotHeld: number) => {
    const rest = { neighbours: 30, notHeld: 3000, byGenerator: false, moveP99AtLoad: 1 } as const;
    const capacities = [
      { candidate: own, held: 2000, cpuWhenNotHeld: 0.4, ...rest },
      { candidate: peer, held: 500, cpuWhenNotHeld, ...rest },
    ];
    const aims = listAims({ worlds: [], calls: [], leftOut: 0, capacities });
    const aim = aims.find(({ what }) => what === "players held: realmwire to grpc-js");
    return aim && verdict(aim);
  };
  expect(verdictWhen(0.9)).toBe("**met**");
  expect(verdictWhen(0.5)).toBe("met, in doubt: grpc-js was late with 50 % of its core unused");
});

test("the report has the aims, the tables and the chart", () => {
  const results: Results = {
    worlds: [cell("realmwire", SIZE, cpu(20)), cell("colyseus", SIZE, cpu(40))],
    calls: [],
    capacities: pickCandidates(["realmwire", "colyseus"]).map((candidate, index) => ({
      candidate,
      neighbours: 30,
      held: index === 0 ? 2200 : 1000,
      notHeld: 3000,
      cpuWhenNotHeld: 0.9,
      byGenerator: false,
      moveP99AtLoad: 60,
    })),
    leftOut: 0,
  };
  const heading = { date: "", machine: "", versions: [], rounds: 1, seconds: 5, chart: "a.svg" };
  const report = writeReport(heading, results);
  expect(report).toContain(
    "| players held: realmwire to colyseus | at least 2.2 × | 2.20 × | **met** |",
  );
  expect(report).toContain("60.00 ms | not met: 20 % too much |");
  expect(report).toContain("## 200 players, 30 neighbours");
  expect(report).not.toContain("What went wrong");
  expect(listAims(results).filter(({ measured }) => measured > 0).length).toBeGreaterThan(4);
  const chart = drawChart(results);
  expect(chart).toContain("Colyseus 0.18 with StateView");
  expect(chart?.indexOf("Realmwire")).toBeLessThan(chart?.indexOf("Colyseus 0.18") ?? 0);
});

test("the chart says whose ticks came late", () => {
  const worlds = [
    cell("realmwire", SIZE, { cpuMicrosPerPlayerTick: 30 }),
    cell("grpc-js", SIZE, { cpuMicrosPerPlayerTick: 85, intervalP99: 230 }),
  ];
  const chart = drawChart({ worlds, capacities: [], calls: [], leftOut: 0 });
  expect(chart).toContain(">30.0<");
  expect(chart).toContain(">85.0 (late ticks)<");
});
