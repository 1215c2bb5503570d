import { expect, test } from "vitest";
import type { WorldEntity } from "../../ts/index.ts";
import { matchEntities, windTo } from "./match.ts";

const entities = [
  { id: 16, name: "well" },
  { id: 1, name: "ada" },
  { id: 161, name: "Stairwell" },
  { id: 7, name: "signpost-inn" },
  { id: 8, name: "signpost-gate" },
] as WorldEntity[];

const found = (text: string): string[] => matchEntities(entities, text).map(({ name }) => name);

test("[SM-27] an id, a name, the beginning of one or a part of a name finds a thing, the best match alone", () => {
  expect(found("16")).toEqual(["well"]);
  expect(found("WELL")).toEqual(["well"]);
  expect(found("161")).toEqual(["Stairwell"]);
  expect(found("ad")).toEqual(["ada"]);
  expect(found("inn")).toEqual(["signpost-inn"]);
  expect(found("sign")).toEqual(["signpost-gate", "signpost-inn"]);
  // The beginning of two ids.
  expect(matchEntities(entities.slice(1), "16").map(({ id }) => id)).toEqual([161]);
  expect(found("dragon")).toEqual([]);
});

test("where something lies is told in words", () => {
  const at = { x: 10, y: 10 };
  expect(windTo(at, { x: 10, y: 2 })).toBe("north");
  expect(windTo(at, { x: 14, y: 14 })).toBe("south-east");
  expect(windTo(at, { x: 2, y: 10.5 })).toBe("west");
});
