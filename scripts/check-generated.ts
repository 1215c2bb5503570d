import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CheckResult, root, run } from "./command.ts";

/** Checks that what is generated and committed is what the protos give today. Generates into a folder of its own. */
export async function checkGenerated(): Promise<CheckResult> {
  const fresh = await mkdtemp(join(tmpdir(), "realmwire-generated-"));
  try {
    const generated = await run("buf", ["generate", "--output", fresh]);
    if (generated.exitCode !== 0) return { kind: "failed", output: generated.output };
    const differences: string[] = [];
    for (const folder of await outputFolders()) {
      differences.push(...(await compareFolders(join(root, folder), join(fresh, folder), folder)));
    }
    if (differences.length === 0) return { kind: "passed" };
    return { kind: "failed", output: differences.join("\n") };
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** The folders that `buf.gen.yaml` writes to, all of whose content is generated. */
async function outputFolders(): Promise<string[]> {
  const config = await readFile(join(root, "buf.gen.yaml"), "utf8");
  const folders = [...config.matchAll(/^\s*(?:- )?out:\s*["']?([^"'\s#]+)/gm)].map(
    (m) => m[1] ?? "",
  );
  if (folders.length === 0) throw new Error("buf.gen.yaml names no `out:` folder");
  return folders;
}

/** What differs between a committed folder and a fresh one, a line for each file; `name` is how to call the folder. */
export async function compareFolders(
  committed: string,
  fresh: string,
  name: string,
): Promise<string[]> {
  const [had, wanted] = await Promise.all([listFiles(committed), listFiles(fresh)]);
  const differences: string[] = [];
  for (const file of [...new Set([...had, ...wanted])].toSorted()) {
    const path = `${name}/${file}`;
    if (!had.has(file)) differences.push(`${path} is missing`);
    else if (!wanted.has(file)) differences.push(`${path} is generated from no proto any more`);
    else if (!(await sameContent(join(committed, file), join(fresh, file)))) {
      differences.push(`${path} is out of date, or was edited`);
    }
  }
  return differences;
}

async function listFiles(folder: string): Promise<Set<string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return new Set(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)),
  );
}

async function sameContent(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([readFile(one), readFile(other)]);
  return a.equals(b);
}
