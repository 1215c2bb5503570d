import { defineConfig } from "vitest/config";
import { LongFirst } from "./test/support/long-first.ts";
import { NODE_FLAGS } from "./test/support/node-flags.ts";

/** Where CI wants the results as JSON, besides what people read. */
const report = process.env["REALMWIRE_TEST_REPORT"];

export default defineConfig({
  test: {
    include: ["{server,clients,games,test,scripts,bench}/**/*.test.ts"],
    globalSetup: ["test/support/shared-folder.ts"],
    // Most of the time goes into waiting for servers, so two files at once fit on one core too.
    maxWorkers: 3,
    execArgv: [...NODE_FLAGS],
    sequence: { sequencer: LongFirst },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Machines are slow at times; what is waited for comes at last or never.
    expect: { poll: { timeout: 15_000 } },
    ...(report && { reporters: ["default", ["json", { outputFile: report }]] }),
  },
});
