import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { PIECE_NAMES, PIECES } from "./pieces.ts";
import type { PieceName, Ratios } from "./pieces.ts";

const file = resolve(import.meta.dirname, "../baseline.json");
const shape = z.record(z.enum(PIECE_NAMES), z.number().positive());

/** What came of one piece. */
export interface Judgement {
  readonly piece: PieceName;
  readonly ratio: number;
  readonly baseline: number;
  readonly limit: number;
  readonly verdict: "as before" | "cheaper" | "too dear";
}

/** The ratios that later ones are compared with. Rejects when a piece is missing. */
export async function readBaseline(): Promise<Record<PieceName, number>> {
  return shape.parse(JSON.parse(await readFile(file, "utf8")));
}

/** Makes these the ratios that later ones are compared with. */
export async function writeBaseline(ratios: Ratios): Promise<void> {
  const rounded = PIECE_NAMES.map((piece) => [piece, Number((ratios[piece] ?? 0).toFixed(2))]);
  const text = `${JSON.stringify(Object.fromEntries(rounded), undefined, 2)}\n`;
  shape.parse(JSON.parse(text));
  await writeFile(file, text);
}

/** Holds ratios against the baseline: what grew by more than its margin is too dear. */
export function judge(ratios: Ratios, baseline: Record<PieceName, number>): Judgement[] {
  return PIECE_NAMES.flatMap((piece) => {
    const ratio = ratios[piece];
    if (ratio === undefined) return [];
    const before = baseline[piece];
    const limit = before * (1 + PIECES[piece].margin);
    const isCheaper = ratio * (1 + PIECES[piece].margin) < before;
    const verdict = ratio <= limit ? (isCheaper ? "cheaper" : "as before") : "too dear";
    return [{ piece, ratio, baseline: before, limit, verdict }];
  });
}

/** A judgement in a line, and for what is too dear what is to be done. */
export function describe({ piece, ratio, baseline, limit, verdict }: Judgement): string {
  const figures = `${ratio.toFixed(2)} ×, baseline ${baseline.toFixed(2)} ×, limit ${limit.toFixed(2)} ×`;
  const line = `${verdict.padEnd(9)}  ${piece.padEnd(10)}  ${figures}: ${PIECES[piece].what}`;
  if (verdict === "as before") return line;
  const wish =
    verdict === "cheaper"
      ? "keep it so by `npm run bench -- --update-baseline`"
      : "if it has to be, say why in the commit and run `npm run bench -- --update-baseline`";
  return `${line}\n           ${wish}`;
}
