import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { SignSchema } from "../../../gen/ts/meadow/v1/components_pb.ts";
import { OnlineStatus } from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import type { ListValue } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import { failureOf } from "../../support/player.ts";
import type { TestPlayer } from "../../support/player.ts";
import { isSamePlace, mapOf, portalTo, walkUntil } from "../../support/walking.ts";
import { valueOf } from "../../support/values.ts";
import type { CallsServer } from "./context.ts";

const UNKNOWN_NAME = { code: Code.NotFound, reason: ErrorReason.NAME_UNKNOWN };
const UNKNOWN = { code: Code.NotFound, reason: ErrorReason.ATTRIBUTE_UNKNOWN };
const FORBIDDEN = { code: Code.PermissionDenied, reason: ErrorReason.ATTRIBUTE_FORBIDDEN };

type Plain = string | bigint | number | boolean;

function set(player: TestPlayer, name: string, attribute: string, value: Plain) {
  return player.world.set({ name, attribute, change: { case: "value", value: valueOf(value) } });
}

function add(player: TestPlayer, name: string, attribute: string, value: Plain) {
  return player.world.set({ name, attribute, change: { case: "add", value: valueOf(value) } });
}

/** Get and Set. */
export function describeAttributes(server: () => CallsServer): void {
  const player = () => server().player("Att");

  describe("Get", () => {
    test("[PY-8] values come typed, of oneself and of others", async () => {
      const ann = await player();
      const bob = await player();
      await bob.position();
      const own = await ann.get("", ["gold", "purse.notes", "health", "name", "zone", "online"]);
      expect(own).toEqual({
        gold: 10n,
        "purse.notes": "",
        health: 100n,
        name: ann.name,
        zone: "town",
        online: BigInt(OnlineStatus.ONLINE),
      });
      const body = await ann.get(ann.name.toUpperCase(), ["physical", "speed", "states", "visual"]);
      expect(body).toMatchObject({ physical: true, speed: 4, visual: "player" });
      expect((body["states"] as ListValue).values).toEqual([]);
      const seen = await ann.get(bob.name, ["health", "position", "online"]);
      expect(seen).toMatchObject({ health: 100n, online: BigInt(OnlineStatus.ONLINE) });
      expect(isSamePlace(seen["position"] as { x: number; y: number }, await bob.position())).toBe(
        true,
      );
    });

    test("[PY-8] without names: all that one may see", async () => {
      const ann = await player();
      const bob = await player();
      const own = Object.keys(await ann.get("", []));
      const others = Object.keys(await ann.get(bob.name, []));
      const open = ["name", "zone", "health", "max_health", "mood", "visual", "speed", "online"];
      const secret = ["gold", "notes", "steps"];
      for (const name of open) expect(others).toContain(name);
      for (const name of [...open, ...secret]) expect(own).toContain(name);
      for (const name of secret) expect(others).not.toContain(name);
      expect(own).not.toContain("luck");
      const admin = await server().as(Role.ADMIN);
      expect(await admin.get(ann.name, [])).toMatchObject({ luck: 0.5, gold: 10n });
    });

    test("[PY-8] an unknown name, an unknown attribute and a forbidden one are three errors", async () => {
      const ann = await player();
      const bob = await player();
      expect(await failureOf(ann.get("no-such-thing", ["health"]))).toMatchObject({
        ...UNKNOWN_NAME,
        metadata: { name: "no-such-thing" },
      });
      for (const attribute of ["shoe_size", "gold.health", "creature.gold", "__proto__"]) {
        expect(await failureOf(ann.get("", [attribute]))).toMatchObject({
          ...UNKNOWN,
          metadata: { attribute, name: ann.name },
        });
      }
      expect(await failureOf(ann.get(bob.name, ["health", "gold"]))).toMatchObject({
        ...FORBIDDEN,
        metadata: { attribute: "gold", name: bob.name },
      });
      // A thing without that component, and a thing of its own.
      expect(await failureOf(ann.get("well", ["health"]))).toMatchObject(UNKNOWN);
    });

    test("[PY-14] luck is for an admin alone", async () => {
      const ann = await player();
      const builder = await server().as(Role.BUILDER);
      for (const caller of [ann, builder]) {
        expect(await failureOf(caller.get(ann.name, ["luck"]))).toMatchObject(FORBIDDEN);
      }
      const admin = await server().as(Role.ADMIN);
      expect(await admin.get(ann.name, ["luck"])).toEqual({ luck: 0.5 });
    });

    test("[PY-8] [SM-14] a character that is not in the world", async () => {
      const ann = await player();
      const bob = await player();
      const away = await ann.get(bob.name, ["online", "zone", "health", "name"]);
      expect(away).toEqual({
        online: BigInt(OnlineStatus.OFFLINE),
        zone: "town",
        health: 100n,
        name: bob.name,
      });
      expect(await failureOf(ann.get(bob.name, ["gold"]))).toMatchObject(FORBIDDEN);
      expect(await failureOf(ann.get(bob.name, ["position"]))).toMatchObject(FORBIDDEN);
    });

    test("[PY-8] things: what a signpost says, what a well counts", async () => {
      const ann = await player();
      const map = await mapOf(ann);
      const object = map.objects.find(({ name }) => name === "signpost-inn");
      const { text } = await ann.get("signpost-inn", ["text"]);
      expect(text).toBe(object?.attributes["text"]?.kind.value);
      expect(text).not.toBe("");
      const well = await ann.get("well", ["count", "visual", "zone", "name"]);
      expect(well).toMatchObject({ visual: "well", zone: "town", name: "well" });
      expect(typeof well["count"]).toBe("bigint");
    });
  });

  describe("Set", () => {
    test("[PY-9] absolute replaces, relative adds; the answer has the value", async () => {
      const ann = await player();
      expect((await set(ann, "", "mood", "glücklich 🐔")).value).toEqual(valueOf("glücklich 🐔"));
      expect(await ann.get("", ["mood"])).toEqual({ mood: "glücklich 🐔" });
      expect((await add(ann, ann.name, "steps", 5n)).value).toEqual(valueOf(5n));
      expect((await add(ann, "", "purse.steps", 7n)).value).toEqual(valueOf(12n));
      expect((await add(ann, "", "steps", -2n)).value).toEqual(valueOf(10n));
      expect((await set(ann, "", "steps", 3n)).value).toEqual(valueOf(3n));
      expect(await ann.get("", ["steps"])).toEqual({ steps: 3n });
    });

    test("[PY-9] 100 concurrent +1 make +100, on a character in the world and on one that is not", async () => {
      const there = await player();
      await there.position();
      const away = await player();
      const builder = await server().as(Role.BUILDER, { protocol: "grpc" });
      for (const target of [there, away]) {
        const answers = await Promise.all(
          Array.from({ length: 100 }, () => add(builder, target.name, "gold", 1n)),
        );
        // Each saw another sum: nobody's addition got lost or was made twice.
        const sums = answers.map(({ value }) => Number(value?.kind.value));
        expect(sums.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => 11 + i));
        expect(await target.get("", ["gold"])).toEqual({ gold: 110n });
      }
    });

    test("[PY-9] additions go on across the moment in which the character enters", async () => {
      const target = await player();
      const builder = await server().as(Role.BUILDER, { protocol: "grpc" });
      const adding = Promise.all(
        Array.from({ length: 60 }, () => add(builder, target.name, "gold", 1n)),
      );
      const stream = target.watch();
      await stream.until("a scene", () => stream.view.self);
      await adding;
      expect(await target.get("", ["gold"])).toEqual({ gold: 70n });
      target.close();
    });

    test("[PY-14] owner, builder and server rules, denied by default", async () => {
      const ann = await player();
      const bob = await player();
      await bob.position();
      const builder = await server().as(Role.BUILDER);
      const admin = await server().as(Role.ADMIN);
      const refused: [TestPlayer, string, string, Plain][] = [
        [ann, bob.name, "mood", "sad"],
        [ann, "", "gold", 1_000_000n],
        [ann, "", "health", 1n],
        [ann, "", "speed", 30],
        [ann, "", "luck", 1],
        [ann, "", "online", 2n],
        [ann, "", "name", "other"],
        [ann, "", "zone", "meadow"],
        [ann, "", "position", "1,1"],
        [ann, "signpost-inn", "text", "closed"],
        [builder, ann.name, "mood", "sad"],
        [builder, ann.name, "health", 1n],
        [builder, "well", "script", "hen"],
      ];
      for (const [caller, name, attribute, value] of refused) {
        const failure = await failureOf(set(caller, name, attribute, value));
        expect(failure, `${attribute} of ${name}`).toMatchObject({
          ...FORBIDDEN,
          metadata: { attribute },
        });
      }
      await set(builder, ann.name, "gold", 77n);
      await set(admin, ann.name, "health", 42n);
      await set(admin, bob.name, "mood", "ordered to be happy");
      expect(await ann.get("", ["gold", "health"])).toEqual({ gold: 77n, health: 42n });
      expect(await bob.get("", ["mood"])).toEqual({ mood: "ordered to be happy" });
    });

    test("[PY-9] a sum that does not fit is refused and changes nothing", async () => {
      const builder = await server().as(Role.BUILDER);
      const there = await player();
      await there.position();
      const away = await player();
      const most = 2n ** 63n - 1n;
      for (const { name, get } of [there, away]) {
        await set(builder, name, "gold", most);
        expect(await failureOf(add(builder, name, "gold", 1n))).toMatchObject({
          code: Code.OutOfRange,
          reason: ErrorReason.VALUE_OUT_OF_RANGE,
          metadata: { attribute: "gold" },
        });
        expect(await get("", ["gold"])).toEqual({ gold: most });
      }
      const admin = await server().as(Role.ADMIN);
      const tooMuch = set(admin, there.name, "health", 2n ** 31n);
      expect((await failureOf(tooMuch)).reason).toBe(ErrorReason.VALUE_OUT_OF_RANGE);
    });

    test("a value of the wrong type is refused and names the field", async () => {
      const builder = await server().as(Role.BUILDER);
      const there = await player();
      await there.position();
      const away = await player();
      for (const { name } of [there, away]) {
        expect(await failureOf(set(builder, name, "gold", "much"))).toMatchObject({
          code: Code.InvalidArgument,
          reason: ErrorReason.INVALID_FIELDS,
          metadata: { attribute: "gold" },
          fields: ["value"],
        });
        expect(await failureOf(add(builder, name, "visual", "x"))).toMatchObject({
          reason: ErrorReason.INVALID_FIELDS,
          fields: ["add"],
        });
      }
      const nothing = builder.world.set({ name: there.name, attribute: "gold" });
      expect(await failureOf(nothing)).toMatchObject({
        reason: ErrorReason.INVALID_FIELDS,
        fields: ["change"],
      });
    });

    test("unknown names and attributes", async () => {
      const ann = await player();
      expect(await failureOf(set(ann, "nobody-here", "mood", "x"))).toMatchObject(UNKNOWN_NAME);
      expect(await failureOf(set(ann, "", "shoe_size", 44n))).toMatchObject(UNKNOWN);
      expect(await failureOf(set(ann, "well", "mood", "deep"))).toMatchObject(UNKNOWN);
    });

    test("[SM-13] what is set is streamed to those near, a secret to its owner alone", async () => {
      const ann = await player();
      const bob = await player();
      const builder = await server().as(Role.BUILDER);
      const annSees = ann.watch();
      const bobSees = bob.watch();
      const sign = await annSees.until("a signpost", () => annSees.view.named("signpost-square"));
      const before = sign.get(SignSchema)?.text ?? "";
      await set(builder, sign.name, "text", "Gone fishing.");
      await annSees.until("the text", () => sign.get(SignSchema)?.text === "Gone fishing.");
      await set(builder, sign.name, "text", before);
      await bobSees.until("the other", () => bobSees.view.named(ann.name));
      await set(ann, "", "notes", "secret");
      await set(ann, "", "mood", "open");
      const purse = (watcher: typeof annSees) =>
        JSON.stringify([...(watcher.view.named(ann.name)?.components.values() ?? [])], text);
      await bobSees.until("the mood", () => purse(bobSees).includes("open"));
      await annSees.until("the notes", () => purse(annSees).includes("secret"));
      expect(purse(bobSees)).not.toContain("secret");
      expect(purse(bobSees)).not.toContain("meadow.v1.Purse");
      ann.close();
      bob.close();
    });

    test("[PY-9] [JW-13] additions go on while the character walks through a portal", async () => {
      const ann = await player();
      const stream = ann.watch();
      await stream.until("a scene", () => stream.view.self);
      const builder = await server().as(Role.BUILDER, { protocol: "grpc" });
      await set(builder, ann.name, "speed", 20);
      const { middle } = portalTo(await mapOf(ann), "meadow");
      const arrived = () => stream.view.scene?.zone === "meadow";
      let added = 0;
      let isOver = false;
      const adding = (async () => {
        while (!isOver) {
          await add(builder, ann.name, "gold", 1n);
          added++;
          await pause(20);
        }
      })();
      await walkUntil(ann, stream, middle, "the meadow", arrived);
      await stream.ticks(2);
      isOver = true;
      await adding;
      expect(await ann.get("", ["gold", "zone"])).toEqual({
        gold: BigInt(10 + added),
        zone: "meadow",
      });
      expect(added).toBeGreaterThan(3);
      ann.close();
    });
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** For JSON of messages: 64-bit numbers as text. */
function text(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
