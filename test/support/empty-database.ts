import { cp } from "node:fs/promises";
import { createRegistry } from "@bufbuild/protobuf";
import { createPgliteStore } from "../../server/store/pglite-store.ts";
import { sharedFolder } from "./shared-folder.ts";

/**
 * Lays an empty embedded database into a folder that is not there yet: a copy of one that is made once for all test
 * files, which is much faster than a new one.
 */
export async function layEmptyDatabase(folder: string): Promise<void> {
  const template = await sharedFolder("empty-database", async (draft) => {
    const store = createPgliteStore({ dataDir: draft, registry: createRegistry() });
    await store.start();
    await store.close();
  });
  await cp(template, folder, { recursive: true });
}
