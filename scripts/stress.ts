import { spawn } from "node:child_process";
import { Argument, Command, InvalidArgumentError } from "commander";
import { SEED, STRESS } from "../test/support/stress.ts";
import { root } from "./command.ts";

/** What can be stressed, and the tests that do it. */
const SUBJECTS: Readonly<Record<string, string>> = {
  crash: "test/e2e/operations-crash.test.ts",
  crowd: "test/e2e/operations-crowd.test.ts",
};

const command = new Command("stress")
  .description("Tests of rare and hard times, with more rounds than CI has time for.")
  .addArgument(new Argument("<subject>", "what to stress").choices(Object.keys(SUBJECTS)))
  .option("--times <number>", "how many times as much as in CI", positive, 20)
  .option("--seed <text>", "what chance begins from", new Date().toISOString())
  .allowExcessArguments(false)
  .parse();

function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new InvalidArgumentError("must be a number above 0");
  return number;
}

const [subject = ""] = command.args;
const { times, seed } = command.opts<{ times: number; seed: string }>();
process.stdout.write(`${subject}, ${times} times as much as in CI, seed ${seed}\n`);
const tests = spawn("vitest", ["run", "--disableConsoleIntercept=true", SUBJECTS[subject] ?? ""], {
  cwd: root,
  env: { ...process.env, [STRESS]: String(times), [SEED]: seed },
  stdio: "inherit",
});
tests.once("close", (code) => process.exit(code ?? 1));
