import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The variable with the folder that all test files of one run share. */
export const SHARED_FOLDER = "REALMWIRE_TEST_FOLDER";

/** Vitest calls this once before all test files; what comes back, once after them. */
export default function setUp(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "realmwire-test-"));
  process.env[SHARED_FOLDER] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
