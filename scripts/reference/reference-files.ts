import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type CheckResult, root } from "../command.ts";
import { indexPage } from "./index-page.ts";
import { INDEX_PAGE, pageOf } from "./markdown.ts";
import { openApiOf } from "./openapi.ts";
import { filePage } from "./page.ts";
import { loadProtocol, type Protocol } from "./protocol.ts";

/** Where the reference stands in the project. All of the folder is generated. */
export const REFERENCE_FOLDER = "docs/reference";
/** The OpenAPI document in that folder. */
export const OPENAPI_FILE = "openapi.json";

/** All files of the reference, by their path in its folder. */
export function referenceFiles(protocol: Protocol, version: string): Map<string, string> {
  const { files, calls } = protocol;
  return new Map([
    [INDEX_PAGE, indexPage(protocol)],
    [OPENAPI_FILE, `${JSON.stringify(openApiOf(protocol, version), undefined, 2)}\n`],
    ...files.map((file): [string, string] => [pageOf(file), filePage(file, calls)]),
  ]);
}

async function wantedFiles(): Promise<Map<string, string>> {
  const text = await readFile(join(root, "package.json"), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  return referenceFiles(await loadProtocol(), version);
}

/** Writes the reference of the protos as they are, and deletes what does not belong to it any more. */
export async function writeReference(): Promise<void> {
  const folder = join(root, REFERENCE_FOLDER);
  const wanted = await wantedFiles();
  await rm(folder, { recursive: true, force: true });
  for (const [path, content] of wanted) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

/** Checks that the committed reference is what the protos give today. */
export async function checkReference(): Promise<CheckResult> {
  const folder = join(root, REFERENCE_FOLDER);
  const wanted = await wantedFiles();
  const problems: string[] = [];
  for (const [path, content] of wanted) {
    const committed = await readFile(join(folder, path), "utf8").catch(() => undefined);
    if (committed === undefined) problems.push(`${REFERENCE_FOLDER}/${path} is missing`);
    else if (committed !== content)
      problems.push(`${REFERENCE_FOLDER}/${path} is out of date, or was edited`);
  }
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name).slice(folder.length + 1);
    if (!wanted.has(path)) problems.push(`${REFERENCE_FOLDER}/${path} is generated from no proto`);
  }
  if (problems.length === 0) return { kind: "passed" };
  return { kind: "failed", output: problems.join("\n") };
}
