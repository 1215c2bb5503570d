import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UpdateResponseSchema } from "../gen/ts/realmwire/v1/world_service_pb.ts";
import { createWorldView } from "../clients/ts/index.ts";
import { copyProject, type ProjectCopy } from "./support/project-copy.ts";
import { isInstalled, requireOrSkip } from "./support/require.ts";
import { root, startTestServer, type TestServer } from "./support/server.ts";
import { createReader, deedsOf } from "./support/tutorial.ts";

const DOCUMENT = "docs/clients.md";
/** Packages are brought and compiled, unless they were before. */
const TIMEOUT_MS = 5 * 60_000;

/** What a test does of the document, and the program that it needs. */
const TRIED = [
  ["curl", "curl"],
  ["Python", "python3"],
  ["Go", "go"],
] as const;

const text = await readFile(join(root, DOCUMENT), "utf8");
let server: TestServer;
let project: ProjectCopy;

beforeAll(async () => {
  project = await copyProject();
  server = await startTestServer();
}, TIMEOUT_MS);

afterAll(async () => {
  await server?.dispose();
  await project?.dispose();
});

/** The section of a heading. */
function sectionOf(heading: string): string {
  const found = text.split(/^## /m).find((section) => section.startsWith(`${heading}\n`));
  if (found === undefined) throw new Error(`${DOCUMENT} has no section ${heading}`);
  return found;
}

test.for(TRIED)(
  "%s: whoever does what the document says sees what it says",
  { timeout: TIMEOUT_MS },
  async ([heading, program], context) => {
    requireOrSkip(context, await isInstalled(program), program);
    const deeds = deedsOf(sectionOf(heading));
    expect(deeds.some(({ kind }) => kind === "run")).toBe(true);
    const reader = await createReader(project.folder, DOCUMENT, server.port);
    for (const deed of deeds) await reader.do(deed);
  },
);

/** The numbers in the cells of the worked example, row by row. */
function exampleRows(): string[][] {
  const [, table = ""] = /An example,[^]*?\|---\|[^\n]*\n([^]*?)\n\n/.exec(text) ?? [];
  return table.split("\n").map((row) => row.split("|").slice(1, -1));
}

function numbersIn(cell = ""): number[] {
  return [...cell.matchAll(/-?\d+(?:\.\d+)?/g)].map(Number);
}

test("the example of reckoning is right: the SDK reckons the same", () => {
  const rows = exampleRows();
  expect(rows).toHaveLength(5);
  const view = createWorldView();
  for (const [tick, says = "", velocity, place] of rows) {
    const numbers = numbersIn(says);
    const [first = 0, second = 0, third = 0, fourth = 0] = numbers;
    const vector = (x: number, y: number) => ({ x, y, z: 0 });
    view.apply(
      create(UpdateResponseSchema, {
        tick: Number(tick),
        ...(says.includes("entities") && {
          scene: { tickRateHz: 10, zone: "example" },
          entities: [{ id: 7, position: vector(first, second), velocity: vector(third, fourth) }],
        }),
        ...(says.includes("turned") && { turned: { ids: [7], xs: [first], ys: [second] } }),
        ...(says.includes("moved") && {
          moved: { ids: [7], originX: first, originY: second, xs: [third], ys: [fourth] },
        }),
      }),
    );
    const entity = view.entities.get(7);
    const [vx = NaN, vy = NaN] = numbersIn(velocity);
    expect(entity?.velocity).toEqual({ x: vx, y: vy, z: 0 });
    const [x = NaN, y = NaN] = numbersIn(place);
    expect(entity?.position.x).toBeCloseTo(x, 9);
    expect(entity?.position.y).toBeCloseTo(y, 9);
  }
});

test("the table says of each language how it was tried", () => {
  const rows = [...text.matchAll(/^\| \[([^\],]+)[^\]]*\]\(#[\w-]+\) \|.*\| ([^|]+) \|$/gm)];
  const tested = rows.filter(([, , how]) => how === "a test does what stands here");
  expect(tested.map(([, heading]) => heading)).toEqual(TRIED.map(([heading]) => heading));
  expect(rows.length).toBeGreaterThan(tested.length);
});
