import { expect, test } from "vitest";
import { colorDepthOf, COLORS, createPaint } from "./paint.ts";

const terminal = (bits: number) => ({ isTTY: true, getColorDepth: () => bits });

test("colours are as many as the terminal has", () => {
  expect(colorDepthOf(terminal(24), {}, true)).toBe("256");
  expect(colorDepthOf(terminal(8), {}, true)).toBe("256");
  expect(colorDepthOf(terminal(4), {}, true)).toBe("16");
  expect(colorDepthOf(terminal(4), { TERM: "tmux-256color" }, true)).toBe("256");
  expect(colorDepthOf(terminal(1), {}, true)).toBe("none");
});

test("without a terminal, with NO_COLOR and with --no-color there are none", () => {
  expect(colorDepthOf({}, {}, true)).toBe("none");
  expect(colorDepthOf(terminal(24), { NO_COLOR: "1" }, true)).toBe("none");
  expect(colorDepthOf(terminal(24), { NO_COLOR: "" }, true)).toBe("256");
  expect(colorDepthOf(terminal(24), {}, false)).toBe("none");
});

test("a style becomes escape sequences that end where the text does", () => {
  const style = { bold: true, color: COLORS.red, background: COLORS.black };
  expect(createPaint("256")("x", style)).toBe("\u001B[1;38;5;203;48;5;16mx\u001B[0m");
  expect(createPaint("16")("x", style)).toBe("\u001B[1;91;40mx\u001B[0m");
  expect(createPaint("none")("x", style)).toBe("x");
  expect(createPaint("256")("x", {})).toBe("x");
});
