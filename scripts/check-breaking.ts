import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CheckResult, root, run, runCheck } from "./command.ts";

/** Protos of others: they change when we take a newer version, and are not ours to keep compatible. */
const FOREIGN = "third_party";

/** What is compared with what. */
export interface BreakingOptions {
  /** The folder of the repository. */
  readonly folder?: string;
  /** A commit to compare with. Undefined or empty: the last landed one. */
  readonly against?: string | undefined;
}

/**
 * Checks that the protos still fit the clients of the last landed commit: `origin/main` where it differs
 * from HEAD, else HEAD's parent. Skipped where there is no such commit, or no protos in it.
 */
export async function checkBreaking({
  folder = root,
  against,
}: BreakingOptions = {}): Promise<CheckResult> {
  const base = against ? await givenBase(folder, against) : await landedBase(folder);
  if (base.kind !== "found") return base;
  const scratch = await mkdtemp(join(tmpdir(), "realmwire-breaking-"));
  try {
    return await compare(folder, base.commit, scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

type Base = CheckResult | { readonly kind: "found"; readonly commit: string };

async function givenBase(folder: string, against: string): Promise<Base> {
  const commit = await resolve(folder, against);
  if (commit !== undefined) return { kind: "found", commit };
  return { kind: "failed", output: `There is no commit ${against} to compare with.` };
}

async function landedBase(folder: string): Promise<Base> {
  const head = await resolve(folder, "HEAD");
  if (head === undefined) return { kind: "skipped", reason: "not a git repository with a commit" };
  const main = await resolve(folder, "origin/main");
  const commit = main !== undefined && main !== head ? main : await resolve(folder, "HEAD~1");
  if (commit !== undefined) return { kind: "found", commit };
  const { output } = await run("git", ["rev-parse", "--is-shallow-repository"], folder);
  const reason =
    output.trim() === "true"
      ? "this clone is too shallow to have a commit to compare with; fetch one more"
      : "this is the first commit: there is nothing to compare with";
  return { kind: "skipped", reason };
}

async function resolve(folder: string, ref: string): Promise<string | undefined> {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`];
  const { exitCode, output } = await run("git", args, folder);
  return exitCode === 0 ? output.trim() : undefined;
}

/**
 * Compares two built images. `buf breaking` on the sources would be shorter, but it refuses two trees
 * with different numbers of modules, which is what a new game makes of them.
 */
async function compare(folder: string, commit: string, scratch: string): Promise<CheckResult> {
  const args = ["ls-tree", "--name-only", commit, "buf.yaml", `${FOREIGN}/`];
  const tree = await run("git", args, folder);
  if (tree.exitCode !== 0) return { kind: "failed", output: tree.output };
  const there = tree.output.split("\n").filter((line) => line !== "");
  if (!there.includes("buf.yaml")) {
    return { kind: "skipped", reason: `${commit.slice(0, 8)} has no protos yet` };
  }
  const foreignThen = there.filter((path) => path.startsWith(`${FOREIGN}/`));
  const foreign = await readdir(join(folder, FOREIGN)).catch(() => []);
  const foreignNow = foreign.map((name) => `${FOREIGN}/${name}`);
  const archive = join(scratch, "before.tar");
  const before = join(scratch, "before.binpb");
  const now = join(scratch, "now.binpb");
  const steps: readonly [string, readonly string[]][] = [
    ["git", ["archive", "--format=tar", `--output=${archive}`, commit]],
    ["buf", ["build", archive, "--output", before, ...excluded(foreignThen)]],
    ["buf", ["build", "--output", now, ...excluded(foreignNow)]],
    ["buf", ["breaking", now, "--against", before, "--exclude-imports"]],
  ];
  for (const [command, args] of steps) {
    const result = await runCheck(command, args, folder);
    if (result.kind === "failed") {
      return { kind: "failed", output: `Compared with ${commit.slice(0, 8)}:\n${result.output}` };
    }
  }
  return { kind: "passed" };
}

function excluded(paths: readonly string[]): string[] {
  return paths.flatMap((path) => ["--exclude-path", path]);
}
