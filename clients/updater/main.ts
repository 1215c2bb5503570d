// `npm run update-client`: makes a folder the client release of a server. In a release: updates the client that it is a part of.
import { realpathSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { Code } from "@connectrpc/connect";
import { RealmwireError } from "../ts/errors.ts";
import { type Arguments, HELP, readArguments, UsageError } from "./arguments.ts";
import { UpdateError } from "./errors.ts";
import { readInstalled } from "./manifest-file.ts";
import { createProgressText, printable } from "./progress-text.ts";
import { describeCheck, describeReport } from "./report-text.ts";
import { checkFolder, updateFolder, type UpdateOptions } from "./update-folder.ts";

const EXIT = { done: 0, failed: 1, usage: 2, outOfDate: 3, interrupted: 130 } as const;
/** Where the top of a release is, as seen from here. */
const RELEASE_TOP = join(import.meta.dirname, "../..");

const { stdout, stderr } = process;

async function run(args: Arguments, signal: AbortSignal): Promise<number> {
  const folder = resolve(args.folder ?? (await findOwnFolder()));
  const url = args.url ?? (await readInstalled(folder))?.url;
  if (url === undefined) {
    throw new UsageError(`${folder} does not say where it came from: name the server with --url`);
  }
  const progress = createProgressText({
    isTerminal: stderr.isTTY && process.env["TERM"] !== "dumb",
    write: (text) => void stderr.write(text),
  });
  const { platform, to: version, from } = args;
  const options: UpdateOptions = {
    folder,
    baseUrl: url,
    signal,
    ...(platform !== undefined && { platform }),
    ...(version !== undefined && { version }),
    ...(from !== undefined && { from }),
    ...(!args.json && { onProgress: progress.show }),
  };
  try {
    if (!args.check) return await update(options, args, progress.end);
    const check = await checkFolder(options);
    progress.end();
    stdout.write(args.json ? `${JSON.stringify(check)}\n` : describeCheck(check, folder));
    return check.upToDate ? EXIT.done : EXIT.outOfDate;
  } finally {
    progress.end();
  }
}

async function update(options: UpdateOptions, args: Arguments, end: () => void): Promise<number> {
  const { folder } = options;
  const wasInside = isInside(process.cwd(), folder);
  // Windows renames no folder in which a process stands.
  if (wasInside) process.chdir(dirname(folder));
  const report = await updateFolder(options);
  end();
  stdout.write(args.json ? `${JSON.stringify(report)}\n` : describeReport(report, folder));
  if (wasInside && !report.upToDate && !args.json) {
    stdout.write(`your shell still stands in the old folder: enter it anew with cd "${folder}"\n`);
  }
  return EXIT.done;
}

async function findOwnFolder(): Promise<string> {
  if ((await readInstalled(RELEASE_TOP)) !== undefined) return RELEASE_TOP;
  throw new UsageError("name the client's folder: this program is not part of a client");
}

function isInside(path: string, folder: string): boolean {
  try {
    return `${realpathSync(path)}${sep}`.startsWith(`${realpathSync(folder)}${sep}`);
  } catch {
    return false;
  }
}

function fail(error: unknown, json: boolean): number {
  const isUsage = error instanceof UsageError;
  const message = messageOf(error);
  if (json) stdout.write(`${JSON.stringify({ error: { kind: kindOf(error), message } })}\n`);
  else
    stderr.write(`update-client: ${printable(message)}\n${isUsage ? "--help tells more.\n" : ""}`);
  return isUsage ? EXIT.usage : EXIT.failed;
}

function kindOf(error: unknown): string {
  if (error instanceof UpdateError) return error.failure;
  if (error instanceof UsageError) return "usage";
  return error instanceof RealmwireError ? Code[error.code] : "internal";
}

function messageOf(error: unknown): string {
  if (error instanceof UpdateError && error.failure === "unknown-folder") {
    return `${error.message} (with --from)`;
  }
  return error instanceof Error ? error.message : String(error);
}

async function main(): Promise<number> {
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort();
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  let json = process.argv.includes("--json");
  try {
    const args = readArguments(process.argv.slice(2));
    json = args.json;
    if (!args.help) return await run(args, interrupt.signal);
    stdout.write(HELP);
    return EXIT.done;
  } catch (error) {
    if (!interrupt.signal.aborted) return fail(error, json);
    stderr.write("\nupdate-client: ended; what was fetched is kept\n");
    return EXIT.interrupted;
  }
}

process.exitCode = await main();
