// Runs every check that needs no running server, all of them even when one fails, and says what came of
// each. `npm run check`; a part of a name, as in `npm run check -- proto`, runs only what has it in its name.
import { checkAccessTable } from "./access-table.ts";
import { checkBreaking } from "./check-breaking.ts";
import { checkGenerated } from "./check-generated.ts";
import { checkProtos } from "./check-protos.ts";
import { type CheckResult, runCheck } from "./command.ts";
import { checkReference } from "./reference/reference-files.ts";

interface Check {
  readonly name: string;
  /** What to do when it fails, if a command does it. */
  readonly remedy?: string;
  readonly run: () => Promise<CheckResult>;
}

const checks: readonly Check[] = [
  { name: "types", run: () => runCheck("tsc", ["-p", "."]) },
  { name: "lint", run: () => runCheck("oxlint", ["--deny-warnings", "--format=unix"]) },
  {
    name: "format",
    remedy: "npm run format",
    run: () => runCheck("oxfmt", ["--check", "."]),
  },
  { name: "dead code", run: () => runCheck("knip", ["--no-progress", "--no-config-hints"]) },
  {
    name: "proto format",
    remedy: "npm run format",
    run: () => runCheck("buf", ["format", "--diff", "--exit-code"]),
  },
  { name: "proto lint", run: () => runCheck("buf", ["lint"]) },
  {
    name: "proto compatibility",
    run: () => checkBreaking({ against: process.env["REALMWIRE_BREAKING_AGAINST"] }),
  },
  { name: "proto generated", remedy: "npm run generate", run: checkGenerated },
  { name: "proto access rules", run: checkProtos },
  { name: "proto access table", remedy: "npm run generate", run: checkAccessTable },
  { name: "proto reference", remedy: "npm run generate", run: checkReference },
];

const wanted = process.argv[2] ?? "";
const chosen = checks.filter((check) => check.name.includes(wanted));
if (chosen.length === 0) {
  console.error(`No check has "${wanted}" in its name: ${checks.map((c) => c.name).join(", ")}.`);
  process.exit(1);
}

const width = Math.max(...chosen.map((check) => check.name.length));
const failed: Check[] = [];
let skipped = 0;
for (const check of chosen) {
  const started = performance.now();
  const result = await runSafely(check);
  const seconds = `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const note = result.kind === "skipped" ? `  ${result.reason}` : "";
  console.log(`${result.kind.padEnd(7)}  ${check.name.padEnd(width)}  ${seconds}${note}`);
  if (result.kind === "skipped") skipped++;
  if (result.kind === "failed") {
    failed.push(check);
    console.log(`\n${result.output.trimEnd().replaceAll(/^/gm, "    ")}\n`);
  }
}

const counts = `${chosen.length - failed.length - skipped} passed, ${failed.length} failed, ${skipped} skipped`;
console.log(`\nChecks: ${counts}`);
for (const { name, remedy } of failed) {
  console.log(`  failed: ${name}${remedy === undefined ? "" : ` (\`${remedy}\` puts it right)`}`);
}
process.exitCode = failed.length > 0 ? 1 : 0;

/** A check that throws has failed, and the others still run. */
async function runSafely(check: Check): Promise<CheckResult> {
  try {
    return await check.run();
  } catch (error) {
    return { kind: "failed", output: error instanceof Error ? (error.stack ?? "") : String(error) };
  }
}
