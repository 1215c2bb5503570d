import { describe, expect, test } from "vitest";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import type { ZoneMap } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import { MoveRefusal } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { failureOf } from "../../support/player.ts";
import type { Place, TestPlayer, Watcher } from "../../support/player.ts";
import { setBarrier } from "../../support/values.ts";
import {
  clearPlaces,
  distance,
  isBlocked,
  isSamePlace,
  mapOf,
  openPlaces,
  walkTo,
} from "../../support/walking.ts";
import type { CallsServer } from "./context.ts";

/** Speed and saved-up offset of characters of the default game. */
const SPEED_TILES_PER_S = 4;
const ALLOWANCE_TILES = 1.5;

/** Move: what is refused and why, and that nobody is faster than they are. */
export function describeMoves(server: () => CallsServer): void {
  /** Somebody who stands in the open, away from all others. */
  async function inTheOpen(): Promise<{ ann: TestPlayer; sees: Watcher; map: ZoneMap }> {
    const ann = await server().player("Mov");
    const sees = ann.watch();
    const self = await sees.until("a scene", () => sees.view.self);
    const map = await mapOf(ann);
    const solid = [...sees.view.entities.values()].filter((entity) => entity !== self);
    const place = openPlaces(map, self.position, { atLeast: 1, atMost: 14 }).find((candidate) =>
      solid.every(({ position }) => distance(position, candidate) > 2.5),
    );
    if (place) await walkTo(ann, sees, place);
    // Walking uses up what may be saved for an offset.
    await sees.ticks(6);
    return { ann, sees, map };
  }

  async function expectRefused(
    player: TestPlayer,
    way: "offset" | "destination" | "direction",
    to: Place & { z?: number },
    refusal: MoveRefusal,
  ): Promise<void> {
    const before = await player.position();
    const answer = await player.move(way, to);
    expect(answer).toMatchObject({ moved: false, refusal });
    expect(isSamePlace(answer.position, before)).toBe(true);
    expect(isSamePlace(await player.position(), before)).toBe(true);
  }

  describe("refusals", () => {
    test("[PY-7] too far, no ground, out of the map, not a place: not moved, and why", async () => {
      const { ann, map } = await inTheOpen();
      await expectRefused(ann, "offset", { x: 1.6, y: 0 }, MoveRefusal.TOO_FAR);
      await expectRefused(ann, "offset", { x: -1.2, y: 1.2 }, MoveRefusal.TOO_FAR);
      await expectRefused(ann, "offset", { x: 0.1, y: 0, z: 1 }, MoveRefusal.NO_GROUND);
      const { x, y } = await ann.position();
      await expectRefused(ann, "destination", { x, y, z: -1 }, MoveRefusal.NO_GROUND);
      await expectRefused(ann, "destination", { x: -1, y }, MoveRefusal.OUT_OF_MAP);
      await expectRefused(ann, "destination", { x, y: map.height }, MoveRefusal.OUT_OF_MAP);
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        for (const way of ["offset", "destination", "direction"] as const) {
          await expectRefused(ann, way, { x: bad, y: 0 }, MoveRefusal.NOT_A_PLACE);
        }
      }
      expect(await failureOf(ann.world.move({}))).toMatchObject({
        reason: ErrorReason.INVALID_FIELDS,
        fields: ["kind"],
      });
      ann.close();
    });

    test("[PY-7] [AL-4] a barrier, a place that nothing leads to", async () => {
      const { ann, sees, map } = await inTheOpen();
      const builder = await server().as(Role.BUILDER);
      const { x, y } = await ann.position();
      const tile = { x: Math.floor(x), y: Math.floor(y) };
      const wall = await builder.world.edit({
        zone: "town",
        commands: [setBarrier(tile.x + 1, tile.y, true)],
      });
      await expectRefused(ann, "offset", { x: 1, y: 0 }, MoveRefusal.BARRIER);
      await expectRefused(ann, "offset", { x: 0.3, y: 0 }, MoveRefusal.BARRIER);
      await expectRefused(ann, "destination", { x: x + 1, y }, MoveRefusal.BARRIER);
      await builder.world.edit({ zone: "town", undoRevision: wall.revision });
      expect((await ann.move("offset", { x: 0.3, y: 0 })).moved).toBe(true);

      const [island] = openPlaces(map, { x, y }, { atLeast: 4, atMost: 15 });
      if (!island) throw new Error("no room for an island");
      const ring = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => [dx, dy] as const));
      const moat = await builder.world.edit({
        zone: "town",
        commands: ring
          .filter(([dx, dy]) => dx !== 0 || dy !== 0)
          .map(([dx, dy]) =>
            setBarrier(Math.floor(island.x) + dx, Math.floor(island.y) + dy, true),
          ),
      });
      await expectRefused(ann, "destination", island, MoveRefusal.NO_PATH);
      await builder.world.edit({ zone: "town", undoRevision: moat.revision });
      expect((await ann.move("destination", island)).moved).toBe(true);
      expect(sees.view.problems).toBe(0);
      ann.close();
    });

    test("[PY-7] [SM-15] somebody solid in the way; who is not solid is walked through", async () => {
      const { ann, sees, map } = await inTheOpen();
      const bob = await server().player("Sol");
      const bobSees = bob.watch();
      await bobSees.until("a scene", () => bobSees.view.self);
      const place = await ann.position();
      const beside = { x: place.x + 1, y: place.y };
      expect(isBlocked(map, Math.floor(beside.x), Math.floor(beside.y))).toBe(false);
      await walkTo(bob, bobSees, beside);
      await sees.until("the other", () => isSamePlace(sees.view.named(bob.name)?.position, beside));
      await expectRefused(ann, "offset", { x: 0.8, y: 0 }, MoveRefusal.OCCUPIED);
      // Not through either, even where there is room behind.
      await expectRefused(ann, "offset", { x: 1.5, y: 0 }, MoveRefusal.OCCUPIED);

      const builder = await server().as(Role.BUILDER);
      const value = { kind: { case: "boolValue" as const, value: false } };
      await builder.world.set({
        name: bob.name,
        attribute: "physical",
        change: { case: "value", value },
      });
      expect((await ann.move("offset", { x: 0.8, y: 0 })).moved).toBe(true);
      ann.close();
      bob.close();
    });

    test("[PY-7] [AL-5] too fast, and again after a while", async () => {
      const { ann, sees } = await inTheOpen();
      const there = { x: 0.7, y: 0 };
      const back = { x: -0.7, y: 0 };
      expect((await ann.move("offset", there)).moved).toBe(true);
      expect((await ann.move("offset", back)).moved).toBe(true);
      await expectRefused(ann, "offset", there, MoveRefusal.TOO_FAST);
      await sees.ticks(4);
      expect((await ann.move("offset", there)).moved).toBe(true);
      ann.close();
    });
  });

  test("[AL-5] a client that hammers, by all ways at once, covers no more than its speed", async () => {
    const { ann, map } = await inTheOpen();
    const hammer = await server().login(ann.name, { protocol: "grpc" });
    const sees = hammer.watch();
    const self = await sees.until("a scene", () => sees.view.self);
    const [goal] = clearPlaces(map, sees, self.position, { atLeast: 2, atMost: 14 });
    if (!goal) throw new Error("no room to hammer in");
    let covered = 0;
    let last = self.position;
    sees.view.onUpdate(() => {
      const { position } = sees.view.self ?? {};
      if (!position) return;
      covered += distance(position, last);
      last = position;
    });
    const from = sees.view.tick;
    const until = performance.now() + 3_000;
    let accepted = 0;
    let tooFast = 0;
    const pause = () =>
      new Promise((resolve) => {
        setTimeout(resolve, 15);
      });
    const hit = async (index: number) => {
      for (let i = index; performance.now() < until; i++) {
        const side = i % 2 === 0 ? 1 : -1;
        const answer =
          index % 2 === 0
            ? await hammer.move("offset", { x: 0.35 * side, y: 0.1 * side })
            : await hammer.move(
                i % 4 === 1 ? "direction" : "destination",
                i % 4 === 1 ? { x: side * 50, y: 0 } : goal,
              );
        if (answer.moved && index % 2 === 0) accepted++;
        if (answer.refusal === MoveRefusal.TOO_FAST) tooFast++;
        await pause();
      }
    };
    await Promise.all([0, 1].map(hit));
    await hammer.move("direction", { x: 0, y: 0 });
    await sees.ticks(2);
    const seconds = (sees.view.tick - from) / (sees.view.scene?.tickRateHz ?? 10);
    expect(seconds).toBeGreaterThan(1.5);
    expect(tooFast).toBeGreaterThan(10);
    expect(accepted).toBeGreaterThan(0);
    // Who turns all the time gets nowhere fast, but it is not held either.
    expect(covered).toBeGreaterThan(1);
    expect(covered).toBeLessThan(SPEED_TILES_PER_S * seconds + ALLOWANCE_TILES + 0.1);
    hammer.close();
  });
}
