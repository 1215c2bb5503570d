import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { createPgliteBackend } from "../../server/store/pglite-store.ts";
import { createPostgresBackend } from "../../server/store/postgres-store.ts";
import {
  findPostgres,
  POSTGRES_NEEDED,
  type PostgresServer,
  startPostgres,
} from "../support/postgres.ts";
import { requireOrSkip } from "../support/require.ts";
import { describeStore } from "./store-contract.ts";

const dataDir = mkdtempSync(join(tmpdir(), "realmwire-store-"));
const programs = findPostgres();
let postgres: PostgresServer | undefined;

beforeAll(async () => {
  if (programs) postgres = await startPostgres(programs);
});
afterAll(async () => {
  await postgres?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

describeStore(
  "the store in a folder (PGlite)",
  async () => () => createPgliteBackend({ dataDir }),
  { snapshots: true },
);

describeStore(
  "the store in PostgreSQL",
  async (context) => {
    requireOrSkip(context, postgres !== undefined, POSTGRES_NEEDED);
    const url = await postgres?.createDatabase();
    if (url === undefined) throw new Error("There is no database.");
    return () => createPostgresBackend({ url });
  },
  { snapshots: false },
);
