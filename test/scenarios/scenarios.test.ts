import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseScenario, play } from "./scenario.ts";

const FOLDER = import.meta.dirname;
const UPDATE = process.env["UPDATE_SCENARIOS"] === "1";
const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

it("has scenarios", () => {
  expect(files.length).toBeGreaterThanOrEqual(6);
});

it.each(files)("%s goes as it is recorded", (name) => {
  const path = join(FOLDER, name);
  const scenario = parseScenario(readFileSync(path, "utf8"));
  const recorded = play(scenario);
  if (UPDATE) writeFileSync(path, `${JSON.stringify({ ...scenario, recorded }, undefined, 2)}\n`);
  else expect(recorded).toEqual(scenario.recorded);
  expect(play(scenario), "a second time").toEqual(recorded);
});
