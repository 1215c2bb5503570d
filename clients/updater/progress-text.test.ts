import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { RealmwireError } from "../ts/errors.ts";
import { createProgressText, formatBytes, printable } from "./progress-text.ts";
import { describeCheck } from "./report-text.ts";

function show(isTerminal: boolean) {
  const written: string[] = [];
  const text = createProgressText({ isTerminal, write: (part) => void written.push(part) });
  return { text, written };
}

const ERASE = "\r\u001b[K";
const download = (bytes: number) => ({ kind: "downloading", bytes, totalBytes: 4096 }) as const;

test("a bar on a terminal, drawn anew only when it changes, and gone at the end", () => {
  const { text, written } = show(true);
  for (const bytes of [0, 2048, 2048, 4096]) text.show(download(bytes));
  text.show({ kind: "installing" });
  text.end();
  text.end();
  expect(written).toEqual([
    `${ERASE}[........................] downloading 0 %, 0 B of 4.0 KiB`,
    `${ERASE}[############............] downloading 50 %, 2.0 KiB of 4.0 KiB`,
    `${ERASE}[########################] downloading 100 %, 4.0 KiB of 4.0 KiB`,
    `${ERASE}installing`,
    ERASE,
  ]);
});

test("without a terminal a line for each quarter, and for each wait", () => {
  const { text, written } = show(false);
  text.show({ kind: "checking", bytes: 0, totalBytes: 0 });
  for (let bytes = 0; bytes <= 4096; bytes += 16) text.show(download(bytes));
  const error = new RealmwireError(Code.Unavailable, "gone\u001b[2J");
  for (const attempt of [1, 2]) text.show({ kind: "waiting", error, attempt, retryInMs: 1500 });
  text.end();
  expect(written).toEqual([
    "checking 100 %\n",
    ...[0, 25, 50, 75, 100].map(
      (percent) => `downloading ${percent} %, ${formatBytes((4096 * percent) / 100)} of 4.0 KiB\n`,
    ),
    "gone [2J; trying again in 1.5 s\n",
    "gone [2J; trying again in 1.5 s\n",
  ]);
});

test("bytes for people", () => {
  const sizes = [0, 1023, 1024, 1536, 1024 ** 2, 1024 ** 3, 1024 ** 4];
  expect(sizes.map(formatBytes)).toEqual([
    "0 B",
    "1023 B",
    "1.0 KiB",
    "1.5 KiB",
    "1.0 MiB",
    "1.0 GiB",
    "1024.0 GiB",
  ]);
  expect(printable("a\u0007b\u202ec\ud800")).toBe("a b c ");
});

test("long lists are cut", () => {
  const added = Array.from({ length: 23 }, (_, i) => `file-${i}`);
  const check = { platform: "p", version: "2.0.0", versionBefore: "2.0.0", added };
  const text = describeCheck(
    { ...check, changed: [], removed: [], bytes: 5, upToDate: false },
    "/client",
  );
  expect(text.split("\n").slice(0, 3)).toEqual([
    "/client would become p 2.0.0: 23 added, 0 changed, 0 removed, 5 B to fetch",
    "added:",
    "  file-0",
  ]);
  expect(text).toMatch(/ {2}file-19\n {2}and 3 more\n$/);
});
