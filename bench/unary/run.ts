import { findPostgres, POSTGRES_NEEDED, startPostgres } from "../../test/support/postgres.ts";
import type { Tell } from "../run/sweep.ts";
import { measureUnary } from "./measure.ts";
import type { UnaryOptions, UnaryResults } from "./measure.ts";
import { writeUnaryReport } from "./report.ts";

/** What {@link runUnary} needs. */
interface RunOptions extends UnaryOptions {
  readonly machine: string;
  readonly tell: Tell;
  /** What has to be ended when the benchmark is interrupted. */
  readonly ends: Set<() => Promise<void>>;
}

/** Measures the calls under load on every database that there is here, and resolves to the report. */
export async function runUnary(options: RunOptions): Promise<string> {
  const { tell, machine, seconds } = options;
  const embedded = { kind: "pglite" } as const;
  tell("Calls under load, on PGlite …");
  const results: UnaryResults[] = [await measureUnary(options, embedded, embedded)];
  const programs = findPostgres();
  if (programs !== undefined) {
    tell("Calls under load, on PostgreSQL …");
    results.push(await onPostgres(options, programs));
  }
  const missing = programs === undefined ? `Left out: ${POSTGRES_NEEDED}.` : undefined;
  const date = new Date().toISOString().slice(0, 10);
  return writeUnaryReport({ date, machine, seconds }, results, missing);
}

/** On a cluster for this run alone. */
async function onPostgres(options: RunOptions, programs: string): Promise<UnaryResults> {
  const postgres = await startPostgres(programs, { durable: true });
  options.ends.add(postgres.close);
  try {
    const [url, aloneUrl] = [await postgres.createDatabase(), await postgres.createDatabase()];
    const kind = "postgres" as const;
    return await measureUnary(options, { kind, url }, { kind, url: aloneUrl });
  } finally {
    options.ends.delete(postgres.close);
    await postgres.close();
  }
}
