import { isLate, medianOf } from "../results.ts";
import type { Cell, Results, Size } from "../results.ts";
import { describe } from "../run/sweep.ts";
import { AIM_NEIGHBOURS } from "./aims.ts";

const WIDTH = 950;
const LABEL_WIDTH = 340;
const VALUE_WIDTH = 120;
const BAR_HEIGHT = 20;
const ROW_HEIGHT = 30;
const TITLE_HEIGHT = 58;
const MARGIN = 20;
const COLOUR = {
  own: "#1f6f54",
  ownCalls: "#7fc4a7",
  peer: "#5b6472",
  peerCalls: "#b4bac4",
} as const;

interface Bar {
  readonly title: string;
  readonly isOwn: boolean;
  /** The part of the value that is drawn dark. */
  readonly stream: number;
  readonly value: number;
  /** Its ticks did not come on time, so that the value says nothing of what all its work would cost. */
  readonly isLate: boolean;
}

/** A chart of the server CPU for each player and tick, or undefined when nothing can be drawn. */
export function drawChart({ worlds }: Results): string | undefined {
  const size = pickSize(worlds);
  if (!size) return undefined;
  const bars = worlds
    .filter((cell) => cell.size === size)
    .map(toBar)
    .filter(({ value }) => Number.isFinite(value))
    .toSorted((a, b) => a.value - b.value);
  const height = TITLE_HEIGHT + bars.length * ROW_HEIGHT + MARGIN;
  const most = Math.max(...bars.map(({ value }) => value));
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH - MARGIN) / most;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(
      MARGIN,
      26,
      "Server CPU, µs a player and tick: shorter is better",
      'font-size="16" font-weight="600"',
    ),
    text(
      MARGIN,
      45,
      `${describe(size)}; dark: without Moves, light: what 5 Moves a second add`,
      'fill="#5b6472"',
    ),
    ...bars.flatMap((bar, index) => drawBar(bar, TITLE_HEIGHT + index * ROW_HEIGHT, scale)),
    "</svg>",
    "",
  ].join("\n");
}

/** The largest world at the density of the aims. */
function pickSize(worlds: readonly Cell[]): Size | undefined {
  const distance = ({ neighbours }: Size) =>
    neighbours === "camp" ? Infinity : Math.abs(neighbours - AIM_NEIGHBOURS);
  const sizes = [...new Set(worlds.map(({ size }) => size))];
  return sizes.toSorted((a, b) => distance(a) - distance(b) || b.players - a.players)[0];
}

function toBar(cell: Cell): Bar {
  const value = medianOf(cell, "moves", (result) => result.cpuMicrosPerPlayerTick);
  const stream = medianOf(cell, "still", (result) => result.cpuMicrosPerPlayerTick);
  return {
    title: cell.candidate.title.replaceAll("`", ""),
    isOwn: cell.candidate.name.startsWith("realmwire"),
    stream: Number.isFinite(stream) ? Math.min(stream, value) : value,
    value,
    isLate: isLate(cell),
  };
}

function drawBar(bar: Bar, y: number, scale: number): string[] {
  const { title, isOwn, stream, value, isLate } = bar;
  const [dark, light] = isOwn ? [COLOUR.own, COLOUR.ownCalls] : [COLOUR.peer, COLOUR.peerCalls];
  const middle = y + BAR_HEIGHT - 5;
  const figure = value.toFixed(value < 100 ? 1 : 0);
  const rect = (x: number, width: number, fill: string) =>
    `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" fill="${fill}"/>`;
  return [
    text(LABEL_WIDTH - 8, middle, title, `text-anchor="end"${isOwn ? ' font-weight="600"' : ""}`),
    rect(LABEL_WIDTH, stream * scale, dark),
    rect(LABEL_WIDTH + stream * scale, (value - stream) * scale, light),
    text(LABEL_WIDTH + value * scale + 6, middle, isLate ? `${figure} (late ticks)` : figure),
  ];
}

function text(x: number, y: number, content: string, attributes = ""): string {
  const safe = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${safe}</text>`;
}
