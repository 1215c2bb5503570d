import { describe, expect, test } from "vitest";
import {
  CounterSchema,
  CreatureSchema,
  SignSchema,
} from "../../../gen/ts/meadow/v1/components_pb.ts";
import { BodySchema, EntityKind } from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import type { Flag, MapFlag } from "../../../gen/ts/realmwire/v1/flag_pb.ts";
import type { ZoneMap } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import { failureOf, freshName } from "../../support/player.ts";
import { command, putSignpost, setBarrier } from "../../support/values.ts";
import {
  distance,
  isBlocked,
  isSamePlace,
  mapOf,
  portalTo,
  walkTo,
  walkUntil,
} from "../../support/walking.ts";
import type { CallsServer } from "./context.ts";
import { edit, openStage } from "./stage.ts";

/** Edit: what a builder does to the world, and what everybody else sees of it. */
export function describeEdits(server: () => CallsServer): void {
  const stage = () => openStage(server());

  describe("commands", () => {
    test("[PY-10] tiles: in the map, with the barriers that follow from them", async () => {
      const { builder, map, places } = await stage();
      const [place] = places;
      const x = Math.floor(place?.x ?? 0);
      const y = Math.floor(place?.y ?? 0);
      const layer = map.layers.find(({ collision }) => !collision);
      const [tileset] = map.tilesets;
      const solid = tileset?.solidTiles[0];
      if (!layer || !tileset || solid === undefined) throw new Error("no solid tile to put");
      const region = { x, y, width: 2, height: 1 };
      const tiles = [tileset.firstTile + solid, 0];
      const answer = await edit(
        builder,
        command({ case: "setTiles", value: { layer: layer.name, region, tiles } }),
      );
      expect(answer.revision).toBe(map.revision + 1);
      expect(answer.region).toMatchObject(region);
      const after = await mapOf(builder);
      const tileAt = (from: ZoneMap, column: number) =>
        from.layers.find(({ name }) => name === layer.name)?.tiles[y * from.width + column];
      expect(after.revision).toBe(answer.revision);
      expect([tileAt(after, x), tileAt(after, x + 1)]).toEqual(tiles);
      expect([isBlocked(after, x, y), isBlocked(after, x + 1, y)]).toEqual([true, false]);
      const known = await builder.zone.getMap({ zone: "town", knownRevision: answer.revision });
      expect(known).toMatchObject({ revision: answer.revision });
      expect(known.map).toBeUndefined();

      await builder.world.edit({ undoRevision: answer.revision });
      const undone = await mapOf(builder);
      expect(undone.revision).toBe(answer.revision + 1);
      expect([tileAt(undone, x), tileAt(undone, x + 1)]).toEqual([
        tileAt(map, x),
        tileAt(map, x + 1),
      ]);
      expect(undone.barriers).toEqual(map.barriers);
      builder.close();
    });

    test("[PY-10] a barrier in front of somebody who walks stops them", async () => {
      const { builder, sees, map, places } = await stage();
      // A free lane to the east, seven tiles long.
      const lane = places.find(({ x, y }) =>
        [1, 2, 3, 4, 5, 6].every(
          (dx) =>
            places.some((place) => isSamePlace(place, { x: x + dx, y })) &&
            !isBlocked(map, Math.floor(x + dx), Math.floor(y)),
        ),
      );
      if (!lane) throw new Error("no lane");
      await walkTo(builder, sees, lane);
      await builder.move("direction", { x: 1, y: 0 });
      await sees.until("walking", () => (sees.view.self?.position.x ?? 0) > lane.x + 0.2);
      const wall = { x: Math.floor(lane.x) + 4, y: Math.floor(lane.y) - 1, width: 1, height: 3 };
      const { revision } = await edit(
        builder,
        command({ case: "setBarriers", value: { region: wall, blocked: true } }),
      );
      await sees.until("standing before the wall", () => {
        const { position, velocity } = sees.view.self ?? {};
        return velocity?.x === 0 && (position?.x ?? 0) > wall.x - 1.5;
      });
      await sees.ticks(5);
      const stopped = sees.view.self?.position.x ?? Number.NaN;
      expect(stopped).toBeLessThanOrEqual(wall.x - 0.34);
      await builder.world.edit({ undoRevision: revision });
      await sees.until("going on", () => (sees.view.self?.position.x ?? 0) > stopped + 0.5);
      await builder.move("direction", { x: 0, y: 0 });
      builder.close();
    });

    test("[PY-10] [SM-13] objects appear on streams with their components, are replaced, and leave", async () => {
      const { builder, places } = await stage();
      const ann = await server().player("Edi");
      const sees = ann.watch();
      await sees.until("a scene", () => sees.view.self);
      const [at, elsewhere] = places;
      if (!at || !elsewhere) throw new Error("no room");
      const name = freshName("sign-");
      await edit(builder, putSignpost(name, at, "Ärger voraus"));
      const sign = await sees.until("the signpost", () => sees.view.named(name));
      expect(sign).toMatchObject({ kind: EntityKind.OBJECT, visual: "signpost" });
      expect(sign.get(SignSchema)?.text).toBe("Ärger voraus");
      expect(sign.get(BodySchema)?.physical).toBe(true);
      expect(isSamePlace(sign.position, at)).toBe(true);
      expect(await ann.get(name, ["text"])).toEqual({ text: "Ärger voraus" });
      expect((await ann.move("destination", at)).moved).toBe(true);

      await edit(builder, putSignpost(name, elsewhere, "moved"));
      await sees.until("the other place", () => {
        const present = sees.view.named(name);
        return (
          present?.get(SignSchema)?.text === "moved" && isSamePlace(present.position, elsewhere)
        );
      });
      await edit(builder, command({ case: "removeObject", value: name }));
      await sees.until("leaving", () => sees.view.named(name) === undefined);
      expect((await failureOf(ann.get(name, ["text"]))).reason).toBe(ErrorReason.NAME_UNKNOWN);
      ann.close();
      builder.close();
    });

    test("[PY-10] [SM-24] a spawn makes creatures appear, and its end makes them leave", async () => {
      const { builder, sees, places } = await stage();
      const [at] = places;
      if (!at) throw new Error("no room");
      const name = freshName("flock-");
      const spawn = {
        name,
        kind: "hen",
        position: { ...at, z: 0 },
        radius: 1,
        count: 3,
        respawnS: 0,
      };
      await edit(builder, command({ case: "putSpawn", value: spawn }));
      const hens = [1, 2, 3].map((index) => `${name}-${index}`);
      for (const hen of hens) {
        const seen = await sees.until(hen, () => sees.view.named(hen));
        expect(seen).toMatchObject({ kind: EntityKind.CREATURE, visual: "hen" });
        expect(seen.get(CreatureSchema)?.maxHealth).toBe(5);
      }
      // They live: at least one of them moves by itself.
      const begin = hens.map((hen) => sees.view.named(hen)?.position ?? at);
      await sees.until("moving by itself", () =>
        hens.some((hen, i) => {
          const now = sees.view.named(hen)?.position;
          return now && distance(now, begin[i] ?? at) > 0.2;
        }),
      );
      await edit(builder, command({ case: "removeSpawn", value: name }));
      await sees.until("leaving", () => hens.every((hen) => !sees.view.named(hen)));
      builder.close();
    });

    test("[PY-10] a portal leads away as soon as it is there, and no longer when it is gone", async () => {
      const { builder, sees, places } = await stage();
      const ann = await server().player("Por");
      const annSees = ann.watch();
      const self = await annSees.until("a scene", () => annSees.view.self);
      const door = places.find((place) => distance(place, self.position) > 2);
      if (!door) throw new Error("no room for a portal");
      const region = { x: Math.floor(door.x), y: Math.floor(door.y), width: 1, height: 1 };
      const name = freshName("door-");
      const value = { name, region, targetZone: "meadow", targetSpawn: "" };
      await edit(builder, command({ case: "putPortal", value }));
      await walkUntil(ann, annSees, door, "the meadow", () => annSees.scenes.includes("meadow"));
      expect(await builder.get(ann.name, ["zone"])).toEqual({ zone: "meadow" });
      await edit(builder, command({ case: "removePortal", value: name }));
      await walkTo(builder, sees, door);
      await sees.ticks(3);
      expect(sees.scenes).toEqual(["town"]);
      ann.close();
      builder.close();
    });

    test("[PY-10] a stored value of an object outlives edits of others", async () => {
      const { builder, sees, places } = await stage();
      const [at] = places;
      if (!at) throw new Error("no room");
      const name = freshName("well-");
      const position = { ...at, z: 0 };
      await edit(builder, command({ case: "putObject", value: { name, kind: "well", position } }));
      const well = await sees.until("the well", () => sees.view.named(name));
      const value = { kind: { case: "intValue" as const, value: 41n } };
      await builder.world.set({ name, attribute: "count", change: { case: "value", value } });
      await edit(builder, setBarrier(0, 0, true));
      await edit(builder, setBarrier(0, 0, false));
      await sees.until("the count", () => (well.get(CounterSchema)?.count ?? 0n) >= 41n);
      await sees.ticks(2);
      expect(sees.view.named(name)).toBe(well);
      await edit(builder, command({ case: "removeObject", value: name }));
      builder.close();
    });
  });

  test("[PY-11] MAP reaches who has only logged in, and who only polls", async () => {
    const { builder } = await stage();
    const quiet = await server().player("Fla");
    const polling = await server().player("Fla");
    const poll = async () => {
      const flags: Flag[] = [];
      for await (const message of polling.world.update({ once: true }))
        flags.push(...message.flags);
      return flags;
    };
    expect(await poll()).toEqual([]);
    const { revision } = await edit(builder, setBarrier(0, 0, false));
    const { flags } = await quiet.world.get({ attributes: ["mood"] });
    expect(mapFlags(flags)).toMatchObject([{ zone: "town", revision }]);
    expect(mapFlags(await poll())).toMatchObject([{ zone: "town", revision }]);
    expect(await poll()).toEqual([]);
  });

  test("[PY-11] MAP reaches everyone in that zone on the next answer and on the stream, and nobody else", async () => {
    const { builder, sees: builderSees, map } = await stage();
    const streaming = await server().player("Fla");
    const polling = await server().player("Fla");
    const away = await server().player("Fla");
    const sees = streaming.watch();
    const awaySees = away.watch();
    await sees.until("a scene", () => sees.view.self);
    await awaySees.until("a scene", () => awaySees.view.self);
    await polling.position();
    const { middle } = portalTo(map, "meadow");
    const speed = { kind: { case: "doubleValue" as const, value: 20 } };
    await builder.world.set({
      name: away.name,
      attribute: "speed",
      change: { case: "value", value: speed },
    });
    await walkUntil(away, awaySees, middle, "the meadow", () => awaySees.scenes.includes("meadow"));
    await away.position();

    const first = await edit(builder, setBarrier(0, 0, false));
    const second = await edit(builder, setBarrier(3, 1, isBlocked(map, 3, 1)));
    const flagged = (region: object) => ({
      zone: "town",
      revision: second.revision,
      region: expect.objectContaining(region) as unknown,
    });
    // The editor is told with each answer; whoever calls now is told of both at once, by one region around them.
    expect(mapFlags(first.flags)).toMatchObject([{ revision: first.revision }]);
    expect(mapFlags(second.flags)).toMatchObject([flagged({ x: 3, y: 1, width: 1, height: 1 })]);
    const around = flagged({ x: 0, y: 0, width: 4, height: 2 });
    for (const player of [streaming, polling]) {
      const { flags } = await player.world.get({ attributes: ["name"] });
      expect(mapFlags(flags)).toMatchObject([around]);
      expect(mapFlags((await player.world.get({ attributes: ["name"] })).flags)).toEqual([]);
    }
    for (const watcher of [sees, builderSees]) {
      await watcher.until("the flags on the stream", () =>
        watcher.flags.some(
          (flag) => flag.case === "map" && flag.value.revision === second.revision,
        ),
      );
      const regions = watcher.flags.flatMap((flag) => (flag.case === "map" ? [flag.value] : []));
      expect(regions.every(({ zone }) => zone === "town")).toBe(true);
      expect(regions.some(({ region }) => region && region.x + region.width >= 4)).toBe(true);
    }

    // The first that the other zone hears of is its own map.
    const inMeadow = await builder.world.edit({
      zone: "meadow",
      commands: [setBarrier(0, 0, false)],
    });
    await awaySees.until("the flag of the own zone", () =>
      awaySees.flags.some(({ case: kind }) => kind === "map"),
    );
    const heard = awaySees.flags.flatMap((flag) => (flag.case === "map" ? [flag.value] : []));
    expect(heard).toMatchObject([{ zone: "meadow", revision: inMeadow.revision }]);
    const answer = await away.world.get({ attributes: ["name"] });
    expect(mapFlags(answer.flags)).toMatchObject([{ zone: "meadow" }]);
    expect(mapFlags((await polling.world.get({ attributes: ["name"] })).flags)).toEqual([]);
    for (const player of [streaming, away, builder]) player.close();
  });
}

function mapFlags(flags: readonly Flag[]): MapFlag[] {
  return flags.flatMap(({ kind }) => (kind.case === "map" ? [kind.value] : []));
}
