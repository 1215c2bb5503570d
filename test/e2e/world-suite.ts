import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ChatKind } from "../../gen/ts/realmwire/v1/chat_pb.ts";
import type { ChatMessage } from "../../gen/ts/realmwire/v1/chat_pb.ts";
import { OnlineStatus, PresenceSchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import type { ZoneMap } from "../../gen/ts/realmwire/v1/map_pb.ts";
import { loginPlayer, registerPlayer } from "../support/player.ts";
import type { TestPlayer, Watcher } from "../support/player.ts";
import { PROTOCOLS, startTestServer } from "../support/server.ts";
import type { Protocol, TestServer } from "../support/server.ts";
import {
  clearPlaces,
  distance,
  isSamePlace,
  mapOf,
  openPlaces,
  portalTo,
  stepSomewhere,
  walkTo,
  walkUntil,
} from "../support/walking.ts";

/** Letters of several scripts, beyond the basic plane, composed and decomposed, and both directions. */
const LETTERS = "Grüße, Zoë! Привет, 世界 — ¿qué tal? שלום مرحبا 👩‍🚀🐔 e\u0301";
/** How long a character stays after its connection was lost: some ticks, so that others see it stand there. */
const LINGER_MS = 1_000;

/** What people do in the world, on a server with so many threads for zones. */
export function describeWorld(threads: string): void {
  let server: TestServer;
  let builder: TestPlayer;

  beforeAll(async () => {
    server = await startTestServer({ args: { threads, "linger-ms": String(LINGER_MS) } });
    builder = await loginPlayer(server.baseUrl, "builder");
  });

  afterAll(async () => {
    await server?.dispose();
  });

  /** Walks long ways in little time: a builder may change how fast somebody is. */
  async function hurry({ name }: TestPlayer): Promise<void> {
    const value = { kind: { case: "doubleValue" as const, value: 20 } };
    await builder.world.set({ name, attribute: "speed", change: { case: "value", value } });
  }

  function count(items: readonly string[], item: string): number {
    return items.filter((other) => other === item).length;
  }

  describe.each(PROTOCOLS)("two people in the world over %s", (protocol: Protocol) => {
    let ann: TestPlayer;
    let bob: TestPlayer;
    let cyd: TestPlayer;
    let annSees: Watcher;
    let bobSees: Watcher;
    let cydSees: Watcher;
    let town: ZoneMap;

    /** Places near the gate, but not in anybody's way. */
    function placesAtGate() {
      const { middle } = portalTo(town, "meadow");
      const isAside = ({ x }: { x: number }) => Math.abs(x - middle.x) > 4;
      return openPlaces(town, middle, { atLeast: 8, atMost: 17 }).filter(isAside);
    }

    function cydAt() {
      return cydSees.view.self?.position ?? { x: 0, y: 0 };
    }

    beforeAll(async () => {
      ann = await registerPlayer(server.baseUrl, "Ann", protocol);
      bob = await registerPlayer(server.baseUrl, "Bob", protocol);
      cyd = await registerPlayer(server.baseUrl, "Cyd", protocol);
      town = await mapOf(ann);
    });

    afterAll(async () => {
      for (const player of [ann, bob, cyd]) player?.close();
      await ann?.account.logout({});
    });

    test("[JW-1] [PY-6] each sees the other join, once", async () => {
      annSees = ann.watch();
      await annSees.until("a scene", () => annSees.view.self);
      expect(annSees.view.named(bob.name)).toBeUndefined();
      bobSees = bob.watch();
      await bobSees.until("everybody who is there", () => bobSees.view.named(ann.name));
      const seen = await annSees.until("the newcomer", () => annSees.view.named(bob.name));
      expect(seen).toMatchObject({ visual: "player", name: bob.name });
      expect(seen.id).toBe(bobSees.view.self?.id);
      expect(isSamePlace(seen.position, await bob.position())).toBe(true);
      await annSees.ticks(4);
      await bobSees.ticks(4);
      expect(count(annSees.joined, bob.name)).toBe(1);
      expect(count(bobSees.joined, ann.name)).toBe(1);
      expect(annSees.scenes).toEqual(["town"]);
      expect(seen.get(PresenceSchema)?.online).toBe(OnlineStatus.ONLINE);
    });

    test("[PY-7] [JW-2] each sees the other walk, to where the answers say", async () => {
      const ofBob = () => annSees.view.named(bob.name);
      const { position, sequence } = await stepSomewhere(bob);
      await annSees.until("the step", () => isSamePlace(ofBob()?.position, position));
      await bobSees.until("the acknowledgement", () => bobSees.view.acknowledged >= sequence);

      const begin = await bob.position();
      const [goal] = clearPlaces(town, bobSees, begin, { atLeast: 3, atMost: 12 });
      if (!goal) throw new Error("the town is too narrow");
      const set = await bob.move("destination", goal);
      expect(set).toMatchObject({ moved: true });
      expect(isSamePlace(set.position, begin)).toBe(true);
      await annSees.until("walking", () => {
        const { x, y } = ofBob()?.velocity ?? { x: 0, y: 0 };
        return Math.hypot(x, y) > 1;
      });
      await annSees.until("the destination", () => isSamePlace(ofBob()?.position, goal));
      await annSees.until("standing still", () => {
        const { x, y } = ofBob()?.velocity ?? { x: 1, y: 1 };
        return x === 0 && y === 0;
      });

      for (const [x, y] of [
        [1, 0],
        [0, 1],
        [-1, 0],
        [0, -1],
        [-0.5, 0.5],
        [0.5, -0.5],
      ] as const) {
        const before = await bob.position();
        await bob.move("direction", { x, y });
        await annSees.until(`going by ${x}, ${y}`, () => {
          const { position: now } = ofBob() ?? {};
          return now && (now.x - before.x) * x + (now.y - before.y) * y > 0.2;
        });
        const stopped = await bob.move("direction", { x: 0, y: 0 });
        await annSees.until("the stop", () => isSamePlace(ofBob()?.position, stopped.position));
        await annSees.ticks(2);
        expect(isSamePlace(ofBob()?.position, stopped.position)).toBe(true);
      }
      expect(annSees.view.problems + bobSees.view.problems).toBe(0);
    });

    test("[JW-3] who is near hears what is said, the zone hears a shout, letters unchanged", async () => {
      cydSees = cyd.watch();
      await cydSees.until("a scene", () => cydSees.view.self);
      await hurry(cyd);
      const farPlace = placesAtGate()[0];
      if (!farPlace) throw new Error("nowhere to stand at the gate");
      await walkTo(cyd, cydSees, farPlace);
      expect(distance(farPlace, await ann.position())).toBeGreaterThan(12);

      const { message } = await ann.chat.say({ text: LETTERS });
      expect(message).toMatchObject({ kind: ChatKind.SAY, from: ann.name, text: LETTERS });
      await ann.chat.shout({ text: `${LETTERS}!` });
      const isFromAnn = ({ from }: { from: string }) => from === ann.name;
      for (const near of [annSees, bobSees]) {
        await near.until("both", () => near.heard.filter(isFromAnn).length >= 2);
      }
      await cydSees.until("the shout", () => cydSees.heard.some(isFromAnn));
      const texts = (watcher: Watcher) =>
        watcher.heard.filter(isFromAnn).map(({ kind, text }) => [kind, text]);
      const both = [
        [ChatKind.SAY, LETTERS],
        [ChatKind.SHOUT, `${LETTERS}!`],
      ];
      expect(texts(annSees)).toEqual(both);
      expect(texts(bobSees)).toEqual(both);
      expect(texts(cydSees)).toEqual([both[1]]);
      const speaker = bobSees.heard.find(isFromAnn);
      expect(bobSees.view.entities.get(speaker?.entityId ?? 0)?.name).toBe(ann.name);
    });

    test("[AL-6] [PY-11] [JW-13] through the gate into the other zone: flag, new scene, left once", async () => {
      await hurry(bob);
      const { middle } = portalTo(town, "meadow");
      const lookout = placesAtGate().find((place) => distance(place, cydAt()) > 3);
      if (!lookout) throw new Error("nowhere to stand at the gate");
      await hurry(ann);
      await walkTo(ann, annSees, lookout);
      const inMeadow = () => bobSees.view.scene?.zone === "meadow";
      const leftBefore = count(annSees.left, bob.name);
      await walkUntil(bob, bobSees, middle, "the meadow", inMeadow);
      await annSees.until("leaving", () => annSees.view.named(bob.name) === undefined);

      expect(bobSees.scenes).toEqual(["town", "meadow"]);
      expect(bobSees.view.self?.name).toBe(bob.name);
      expect(bobSees.view.named(ann.name)).toBeUndefined();
      await bobSees.until("the flag on the stream", () =>
        bobSees.flags.some((flag) => flag.case === "zone" && flag.value.zone === "meadow"),
      );
      const { flags, attributes } = await bob.world.get({ attributes: ["zone"] });
      expect(flags.map(({ kind }) => [kind.case, kind.value])).toEqual([
        ["zone", expect.objectContaining({ zone: "meadow" })],
      ]);
      expect(attributes["zone"]?.kind.value).toBe("meadow");
      expect(await ann.zone.locateCharacter({ name: bob.name })).toMatchObject({
        zone: "meadow",
        online: OnlineStatus.ONLINE,
      });
      const meadow = await mapOf(bob);
      expect(meadow.zone).toBe("meadow");
      const { portal } = portalTo(town, "meadow");
      const spawn = meadow.spawns.find(({ name }) => name === portal.targetSpawn);
      const arrival = bobSees.view.self?.position;
      if (!spawn?.position || !arrival) throw new Error("no place of arrival");
      expect(distance(spawn.position, arrival)).toBeLessThan(3);
      expect(count(annSees.left, bob.name)).toBe(leftBefore + 1);
      expect(annSees.scenes).toEqual(["town"]);
    });

    test("[SM-17] a tell reaches one, across zones, and the history has it", async () => {
      const { message } = await ann.chat.tell({ to: bob.name.toUpperCase(), text: LETTERS });
      expect(message).toMatchObject({ kind: ChatKind.TELL, from: ann.name, to: bob.name });
      const isTell = ({ kind }: { kind: ChatKind }) => kind === ChatKind.TELL;
      const told = await bobSees.until("the tell", () => bobSees.heard.find(isTell));
      expect(told.text).toBe(LETTERS);
      await annSees.until("one's own tell", () => annSees.heard.some(isTell));
      await cyd.chat.shout({ text: "after it" });
      await cydSees.until("the shout", () => cydSees.heard.some(({ from }) => from === cyd.name));
      expect(cydSees.heard.some(isTell)).toBe(false);

      const history: ChatMessage[] = [];
      for (let pageToken = ""; ;) {
        const page = await bob.chat.listMessages({ pageSize: 2, pageToken });
        expect(page.messages.length).toBeLessThanOrEqual(2);
        history.push(...page.messages);
        pageToken = page.nextPageToken;
        if (pageToken === "") break;
      }
      const ofAnn = history.filter(({ from }) => from === ann.name);
      expect(ofAnn.map(({ kind, text }) => [kind, text])).toEqual([
        [ChatKind.TELL, LETTERS],
        [ChatKind.SHOUT, `${LETTERS}!`],
        [ChatKind.SAY, LETTERS],
      ]);
    });

    test("[JW-1] back through the gate: seen again, once", async () => {
      const meadow = await mapOf(bob);
      const { middle } = portalTo(meadow, "town");
      const before = count(annSees.joined, bob.name);
      // It stands where the gate leads to: a step away from the portal first, were it inside.
      await walkUntil(bob, bobSees, middle, "the town", () => bobSees.view.scene?.zone === "town");
      await annSees.until("coming back", () => annSees.view.named(bob.name));
      await annSees.ticks(4);
      expect(count(annSees.joined, bob.name)).toBe(before + 1);
    });

    test("[SM-14] a lost connection: offline for a while, then gone", async () => {
      const before = count(annSees.left, cyd.name);
      const seen = await annSees.until("the other", () => annSees.view.named(cyd.name));
      const states: (OnlineStatus | undefined)[] = [];
      annSees.view.onChange((entity, { components }) => {
        if (entity === seen && components.has(PresenceSchema.typeName)) {
          states.push(entity.get(PresenceSchema)?.online);
        }
      });
      cydSees.close();
      await annSees.until("offline", () => states.includes(OnlineStatus.OFFLINE));
      expect(annSees.view.named(cyd.name)).toBe(seen);
      await annSees.until("leaving", () => annSees.view.named(cyd.name) === undefined);
      expect(states).toEqual([OnlineStatus.OFFLINE]);
      expect(count(annSees.left, cyd.name)).toBe(before + 1);
      // The session stays: the character is back with the next stream, where it was.
      const place = seen.position;
      cydSees = cyd.watch();
      await cydSees.until("a scene", () => cydSees.view.self);
      expect(isSamePlace(cydSees.view.self?.position, place)).toBe(true);
    });

    test("[SM-4] [JW-1] a logout: gone at once, seen once", async () => {
      await annSees.until("the other", () => annSees.view.named(bob.name));
      const before = count(annSees.left, bob.name);
      await bob.account.logout({});
      await annSees.until("leaving", () => annSees.view.named(bob.name) === undefined);
      await annSees.ticks(4);
      expect(count(annSees.left, bob.name)).toBe(before + 1);
      await bobSees.until("the end of the stream", () => bobSees.end);
      expect(await ann.zone.locateCharacter({ name: bob.name })).toMatchObject({
        zone: "town",
        online: OnlineStatus.OFFLINE,
      });
    });
  });

  test("nothing of all this was worth a warning in the log", () => {
    expect(server.troubles).toEqual([]);
  });
}
