import { median } from "../results.ts";
import type { Tell } from "../run/sweep.ts";
import { describe, judge, readBaseline, writeBaseline } from "./baseline.ts";
import type { Judgement } from "./baseline.ts";
import { measurePopulation, measureWorld } from "./in-process.ts";
import { measureCalls } from "./over-sockets.ts";
import type { CheckProcesses } from "./over-sockets.ts";
import { PIECE_NAMES } from "./pieces.ts";
import type { PieceName, Ratios } from "./pieces.ts";

/** A piece that is too dear is measured anew, up to so many times in all: noise passes, what is really dearer stays. */
const ATTEMPTS = 3;
/** A new baseline is the median of so many measurements. */
const BASELINE_RUNS = 5;

/** What is measured together, and of which pieces. */
const MEASUREMENTS: readonly {
  readonly pieces: readonly PieceName[];
  measure(check: CheckProcesses): Ratios | Promise<Ratios>;
}[] = [
  { pieces: ["message", "step"], measure: measureWorld },
  { pieces: ["population"], measure: measurePopulation },
  { pieces: ["move", "moveH2c", "update"], measure: measureCalls },
];

/** Holds every piece against the baseline and tells what came of it; whether none is too dear comes back. */
export async function checkBaseline(check: CheckProcesses, tell: Tell): Promise<boolean> {
  const baseline = await readBaseline();
  let open: readonly PieceName[] = PIECE_NAMES;
  const best = new Map<PieceName, Judgement>();
  for (let attempt = 1; attempt <= ATTEMPTS && open.length > 0; attempt++) {
    if (attempt > 1) tell(`measuring anew: ${open.join(", ")}`);
    for (const judgement of judge(await measure(check, open), baseline)) {
      const before = best.get(judgement.piece);
      if (!before || judgement.ratio < before.ratio) best.set(judgement.piece, judgement);
    }
    open = PIECE_NAMES.filter((piece) => best.get(piece)?.verdict === "too dear");
  }
  for (const judgement of best.values()) tell(describe(judgement));
  return open.length === 0;
}

/** Measures everything several times and writes the medians as the new baseline. */
export async function updateBaseline(check: CheckProcesses, tell: Tell): Promise<void> {
  const runs: Ratios[] = [];
  for (let run = 1; run <= BASELINE_RUNS; run++) {
    const ratios = await measure(check, PIECE_NAMES);
    runs.push(ratios);
    const figures = PIECE_NAMES.map((piece) => `${piece} ${ratios[piece]?.toFixed(2)}`);
    tell(`[${run}/${BASELINE_RUNS}] ${figures.join(", ")}`);
  }
  await writeBaseline(
    Object.fromEntries(
      PIECE_NAMES.map((piece) => [
        piece,
        median(runs.map((ratios) => ratios[piece] ?? Number.NaN)),
      ]),
    ),
  );
}

async function measure(check: CheckProcesses, wanted: readonly PieceName[]): Promise<Ratios> {
  const ratios: Ratios = {};
  for (const { pieces, measure } of MEASUREMENTS) {
    if (!pieces.some((piece) => wanted.includes(piece))) continue;
    Object.assign(ratios, await measure(check));
  }
  return ratios;
}
