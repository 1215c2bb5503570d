import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodePng } from "../games/meadow/make/png.ts";
import { copyProject, type ProjectCopy } from "./support/project-copy.ts";
import { root } from "./support/server.ts";
import { applyDiff, createReader, deedsOf, type Reader } from "./support/tutorial.ts";

const DOCUMENT = "docs/tutorial.md";
/** The longest that a deed may take: generating and starting wait for slow machines. */
const DEED_TIMEOUT_MS = 120_000;

const deeds = deedsOf(await readFile(join(root, DOCUMENT), "utf8"));
let project: ProjectCopy;
let reader: Reader;

beforeAll(async () => {
  project = await copyProject();
  reader = await createReader(project.folder, DOCUMENT);
}, DEED_TIMEOUT_MS);

afterAll(async () => {
  await reader?.dispose();
  await project?.dispose();
});

test("the reader's deeds are found", () => {
  expect(deedsOf("**`a.ts`**\n\n```ts\none\n```\n\n```console\n$ ls\na.ts\n```\n")).toEqual([
    { kind: "save", file: "a.ts", content: "one\n" },
    { kind: "run", steps: [{ command: "ls", expected: ["a.ts"] }] },
  ]);
  expect(deedsOf("```console\n$ ls\n```\nand\n```console\n$ pwd\n```\n")).toHaveLength(1);
  expect(() => deedsOf("```ts\none\n```\n")).toThrow(/no name of a file/);
});

test("changes are made where they belong", () => {
  expect(applyDiff("a\nb\nc\n", " a\n-b\n+B\n")).toBe("a\nB\nc\n");
  expect(() => applyDiff("a\n", "-b\n+B\n")).toThrow(/0 places/);
  expect(() => applyDiff("a\na\n", "-a\n+B\n")).toThrow(/2 places/);
});

// One after the other: each needs what those before have done.
test(
  "whoever does what the tutorial says sees what it says",
  async () => {
    expect(deeds.length).toBeGreaterThan(10);
    for (const deed of deeds) await reader.do(deed);
  },
  DEED_TIMEOUT_MS * 2,
);

test("the picture in the tutorial is the one that its reader draws", async () => {
  const [drawn, shown] = await Promise.all(
    [join(project.folder, "orchard.png"), join(root, "docs/pictures/orchard.png")].map(
      async (path) => decodePng(await readFile(path)),
    ),
  );
  expect({ width: drawn?.width, height: drawn?.height }).toEqual({
    width: shown?.width,
    height: shown?.height,
  });
  for (let y = 0; y < (drawn?.height ?? 0); y++) {
    for (let x = 0; x < (drawn?.width ?? 0); x++) {
      if (drawn?.colorAt(x, y) !== shown?.colorAt(x, y)) expect.fail(`${x}, ${y} differs`);
    }
  }
});
