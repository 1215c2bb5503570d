import { expect, test } from "vitest";
import { createPlainWorld } from "./plain-world.ts";
import { createScenario } from "./scenario.ts";

test.each([20, 30, 50])("players have about %i neighbours, whoever counts them", (neighbours) => {
  const { homes, meanSeen, seenFromHome } = createScenario({ players: 300, neighbours });
  expect(meanSeen - 1).toBeGreaterThan(neighbours * 0.97);
  expect(meanSeen - 1).toBeLessThan(neighbours * 1.03);
  const world = createPlainWorld(homes);
  for (const player of homes.keys()) world.join(player);
  world.step();
  for (const player of homes.keys()) {
    const { entered } = world.look(player);
    const { least, most } = seenFromHome(player);
    expect(entered).toContain(player);
    expect(entered.length).toBeGreaterThanOrEqual(least);
    expect(entered.length).toBeLessThanOrEqual(most);
  }
});

test("in one camp everybody sees everybody", () => {
  const { seenFromHome } = createScenario({ players: 80, neighbours: "camp" });
  expect(seenFromHome(17)).toEqual({ least: 80, most: 80 });
});

test("a world that does not fit onto the map is refused", () => {
  expect(() => createScenario({ players: 5000, neighbours: 1 })).toThrow("do not fit");
});

test("a look tells what changed since the one before, and nothing twice", () => {
  const world = createPlainWorld([
    { x: 20, y: 20 },
    { x: 39.8, y: 20 },
  ]);
  world.join(0);
  world.join(1);
  world.step();
  expect(world.look(0)).toEqual({ entered: [0, 1], turned: [], left: [] });
  world.move(1, 1, 0);
  world.step();
  expect(world.look(0)).toEqual({ entered: [], turned: [], left: [1] });
  world.move(0, 2, 0);
  world.step();
  expect(world.look(0)).toEqual({ entered: [], turned: [0], left: [] });
  expect(world.vxs[0]).toBe(1024);
});
