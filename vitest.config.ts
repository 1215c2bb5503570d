import { defineConfig } from "vitest/config";

/** Where CI wants the results as JSON, besides what people read. */
const report = process.env["REALMWIRE_TEST_REPORT"];

export default defineConfig({
  test: {
    include: ["{server,clients,games,test,scripts,bench}/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    ...(report && { reporters: ["default", ["json", { outputFile: report }]] }),
  },
});
