/** A colour: its number among 256, and the nearest of the first 16. */
export type Color = readonly [of256: number, of16: number];

/** How a piece of text looks. */
export interface Style {
  readonly color?: Color;
  readonly background?: Color;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly inverse?: boolean;
}

/** Colours that a terminal can show: none, 16, or 256 and more. */
export type ColorDepth = "none" | "16" | "256";

/** Puts a text into a style by escape sequences, and ends it again. The text must be harmless. */
export type Paint = (text: string, style?: Style) => string;

/** The first of the brighter half of 16 colours. */
const BRIGHT = 8;

/** Creates a painter. Without colours it leaves texts as they are. */
export function createPaint(depth: ColorDepth): Paint {
  if (depth === "none") return (text) => text;
  const codeOf = (color: Color, isBackground: boolean): string => {
    if (depth === "256") return `${isBackground ? 48 : 38};5;${color[0]}`;
    const [, code] = color;
    const first = code < BRIGHT ? 30 : 90 - BRIGHT;
    return `${first + code + (isBackground ? 10 : 0)}`;
  };
  return (text, style) => {
    if (style === undefined || text === "") return text;
    const codes: string[] = [];
    if (style.bold) codes.push("1");
    if (style.dim) codes.push("2");
    if (style.inverse) codes.push("7");
    if (style.color) codes.push(codeOf(style.color, false));
    if (style.background) codes.push(codeOf(style.background, true));
    return codes.length === 0 ? text : `\u001B[${codes.join(";")}m${text}\u001B[0m`;
  };
}

/** What of an output tells its colours. */
export interface ColorOutput {
  readonly isTTY?: boolean;
  /** Bits of a colour: 1, 4, 8 or 24. It knows `NO_COLOR`, `FORCE_COLOR` and `TERM`. */
  getColorDepth?(env?: object): number;
}

/** The colours of an output: none when it is no terminal, when `NO_COLOR` is set to anything, or when `wanted` says so. */
export function colorDepthOf(
  output: ColorOutput,
  env: NodeJS.ProcessEnv,
  wanted: boolean,
): ColorDepth {
  if (!wanted || env["NO_COLOR"] || !output.isTTY) return "none";
  // Node knows but some of the terminals whose name says it.
  if (env["TERM"]?.endsWith("-256color")) return "256";
  const bits = output.getColorDepth?.(env) ?? 1;
  if (bits < 4) return "none";
  return bits < 8 ? "16" : "256";
}

/** Colours by name. */
export const COLORS = {
  black: [16, 0],
  red: [203, 9],
  green: [114, 10],
  yellow: [221, 11],
  blue: [75, 12],
  magenta: [176, 13],
  cyan: [80, 14],
  white: [231, 15],
  gray: [246, 7],
} as const satisfies Record<string, Color>;
