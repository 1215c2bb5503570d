import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestServer } from "./server.ts";
import { sharedFolder } from "./shared-folder.ts";

/** Data folders that begin as copies of one in which a server has run before: much faster than new ones. */
export interface DataFolders {
  /** A folder of its own. */
  next(): Promise<string>;
  dispose(): Promise<void>;
}

/** Makes data folders. The one that they are copies of is made once for all test files. */
export async function createDataFolders(): Promise<DataFolders> {
  const template = await sharedFolder("data", async (dataDir) => {
    const server = await startTestServer({ dataDir });
    await server.stop();
  });
  const parent = await mkdtemp(join(tmpdir(), "realmwire-data-"));
  let count = 0;
  return {
    async next() {
      const folder = join(parent, `data-${++count}`);
      await cp(template, folder, { recursive: true });
      return folder;
    },
    dispose: () => rm(parent, { recursive: true, force: true }),
  };
}
