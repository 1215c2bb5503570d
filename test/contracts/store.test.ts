import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { createPgliteStore } from "../../server/store/pglite-store.ts";
import { createPostgresStore } from "../../server/store/postgres-store.ts";
import {
  findPostgres,
  POSTGRES_NEEDED,
  type PostgresServer,
  startPostgres,
} from "../support/postgres.ts";
import { requireOrSkip } from "../support/require.ts";
import { describeStore } from "./store-contract.ts";
import { registry } from "./store-samples.ts";

const folder = mkdtempSync(join(tmpdir(), "realmwire-store-"));
const template = join(folder, "template");
const programs = findPostgres();
let places = 0;
let postgres: PostgresServer | undefined;

beforeAll(async () => {
  // Creating a database takes seconds, copying one does not.
  const store = createPgliteStore({ dataDir: template, registry });
  await store.start();
  await store.close();
  if (programs) postgres = await startPostgres(programs);
});

afterAll(async () => {
  await postgres?.close();
  rmSync(folder, { recursive: true, force: true });
});

describeStore("the store in a folder (PGlite)", async () => {
  const dataDir = join(folder, `place-${++places}`);
  cpSync(template, dataDir, { recursive: true });
  return {
    open: (options) => createPgliteStore({ dataDir, ...options }),
    async close() {
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
});

describeStore("the store in PostgreSQL", async (context) => {
  requireOrSkip(context, postgres !== undefined, POSTGRES_NEEDED);
  const url = await postgres?.createDatabase();
  if (url === undefined) throw new Error("No database.");
  return {
    open: (options) => createPostgresStore({ url, ...options }),
    async close() {},
  };
});
