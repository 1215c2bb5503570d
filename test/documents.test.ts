import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { anchorOf } from "../scripts/reference/markdown.ts";
import { root } from "./support/server.ts";

/** Documents that people read; the reference has a test of its own. */
const DOCUMENTS = globSync(["*.md", "docs/*.md", "{clients,games}/*/*.md", "test/**/*.md"], {
  cwd: root,
});

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** Links to files of the project that lead nowhere. */
function brokenLinks(document: string, text: string): string[] {
  const prose = text.replaceAll(/^```[^]*?^```$/gm, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? document : join(dirname(document), path);
      if (!existsSync(join(root, file))) return true;
      if (anchor === undefined) return false;
      const headings = [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => heading);
      return !headings.map(anchorOf).includes(anchor);
    });
}

test("documents link to what is there", () => {
  expect(DOCUMENTS).toContain("README.md");
  expect(DOCUMENTS).toContain("docs/architecture.md");
  for (const document of DOCUMENTS) {
    expect(brokenLinks(document, read(document)), document).toEqual([]);
  }
  expect(brokenLinks("README.md", "[a](nowhere.md) [b](#nowhere) [c](#start)")).toHaveLength(2);
});

test("docs/architecture.md names files and folders that exist", () => {
  const text = read("docs/architecture.md");
  const named = [...text.matchAll(/`((?:server|test|scripts|proto|gen|clients)\/[^`]*)`/g)];
  const paths = named.map(([, path = ""]) => path);
  expect(paths.length).toBeGreaterThan(60);
  expect(paths.filter((path) => globSync(path, { cwd: root }).length === 0)).toEqual([]);
});

test("docs/architecture.md names every folder of the server", () => {
  const text = read("docs/architecture.md");
  const folders = globSync("server/*/", { cwd: root }).map((path) => path.replaceAll("\\", "/"));
  expect(folders.length).toBeGreaterThan(6);
  for (const folder of folders) expect(text).toContain(`\`${folder.replace(/\/$/, "")}/\``);
});
