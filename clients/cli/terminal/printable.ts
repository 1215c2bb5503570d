import stringWidth from "string-width";

/** Marks on one letter that are kept; more of them would grow over the neighbouring lines. */
const MAX_MARKS = 4;
/** Controls, line separators, halves of letters, and everything invisible that could turn or hide what stands beside it. */
const HARMFUL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** Joins letters of some scripts, and emoji. It is invisible, but does nothing else. */
const JOINERS: ReadonlySet<string> = new Set(["\u200c", "\u200d"]);
const MARKS = new RegExp(String.raw`(\p{M}{${MAX_MARKS}})\p{M}+`, "gu");
/** Where Unicode has pictures of the first 32 controls. */
const CONTROL_PICTURES = 0x2400;
const FIRST_VISIBLE = 0x20;
const DELETE = 0x7f;

/**
 * Makes a text harmless to print: a terminal would carry controls and escape sequences out, so each is shown as a sign of one column.
 * What was typed by others reaches the terminal only through this.
 */
export function printable(text: string): string {
  return text.replace(HARMFUL, showControl).replace(MARKS, "$1");
}

function showControl(control: string): string {
  if (JOINERS.has(control)) return control;
  const code = control.codePointAt(0) ?? 0;
  if (code < FIRST_VISIBLE) return String.fromCodePoint(CONTROL_PICTURES + code);
  return code === DELETE ? "␡" : "�";
}

/** Columns that a harmless text takes up. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

const segmenter = new Intl.Segmenter();

/** The letters of a text as people see them, each with its columns. */
export function lettersOf(text: string): { readonly letter: string; readonly width: number }[] {
  return Array.from(segmenter.segment(text), ({ segment }) => ({
    letter: segment,
    width: widthOf(segment),
  }));
}
