/** Controls, line separators, halves of letters, and everything invisible that could turn or hide what stands beside it. */
const HARMFUL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Makes a text that others wrote harmless to print: a terminal would carry controls and escape sequences out. */
export function printable(text: string): string {
  return text.replace(HARMFUL, (sign) => (sign === "\n" ? sign : "�"));
}
