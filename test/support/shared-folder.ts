import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { mkdtemp, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The variable with the folder that all test files of one run share. */
const SHARED_FOLDER = "REALMWIRE_TEST_FOLDER";

/** Vitest calls this once before all test files; what comes back, once after them. */
export default function setUp(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "realmwire-test-"));
  process.env[SHARED_FOLDER] = folder;
  process.env["NODE_COMPILE_CACHE"] ??= join(folder, "compiled");
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** A folder for all test files, which the first that asks for it fills. Nobody changes it afterwards. */
export async function sharedFolder(
  name: string,
  fill: (draft: string) => Promise<void>,
): Promise<string> {
  const parent = process.env[SHARED_FOLDER];
  if (parent === undefined) throw new Error(`${SHARED_FOLDER} is not set`);
  const folder = join(parent, name);
  if (existsSync(folder)) return folder;
  const draft = await mkdtemp(join(parent, "draft-"));
  await fill(draft);
  // Two files that make one at once: the second finds the place taken, and its draft goes with the rest.
  await rename(draft, folder).catch((error: unknown) => {
    if (!existsSync(folder)) throw error;
  });
  return folder;
}
