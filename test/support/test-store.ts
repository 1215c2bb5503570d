import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRegistry, type Registry } from "@bufbuild/protobuf";
import { createPgliteStore } from "../../server/store/pglite-store.ts";
import type { Store } from "../../server/store/store.ts";
import { layEmptyDatabase } from "./empty-database.ts";

/** A real store that begins empty. */
export interface TestStore {
  readonly store: Store;
  /** A folder of its own, in which there is room for other files of a test. */
  readonly folder: string;
  /** Closes the store and deletes the folder. */
  dispose(): Promise<void>;
}

/** Starts an embedded store for components of these types. */
export async function openTestStore(registry: Registry = createRegistry()): Promise<TestStore> {
  const folder = await mkdtemp(join(tmpdir(), "realmwire-store-"));
  const dataDir = join(folder, "database");
  await layEmptyDatabase(dataDir);
  const store = createPgliteStore({ dataDir, registry });
  await store.start();
  return {
    store,
    folder,
    async dispose() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}
