import { createClient, createRouterTransport } from "@connectrpc/connect";
import type { ConnectRouter } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { CreatureSchema } from "../../gen/ts/meadow/v1/components_pb.ts";
import { ChatKind } from "../../gen/ts/realmwire/v1/chat_pb.ts";
import { ChatService } from "../../gen/ts/realmwire/v1/chat_service_pb.ts";
import type { Value } from "../../gen/ts/realmwire/v1/value_pb.ts";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { EditRequest } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { ZoneService } from "../../gen/ts/realmwire/v1/zone_service_pb.ts";
import { createCalls } from "./calls.ts";
import type { Calls } from "./calls.ts";
import { createSystemClock } from "./clock.ts";
import { createMover } from "./move.ts";
import { pack } from "./testing/messages.ts";

/** Calls answered in this process: here a network would add nothing. */
function createLocalCalls(routes: (router: ConnectRouter) => void): Calls {
  const transport = createRouterTransport(routes);
  const world = createClient(WorldService, transport);
  return createCalls({
    world,
    move: createMover({ world, clock: createSystemClock() }),
    zone: createClient(ZoneService, transport),
    chat: createClient(ChatService, transport),
    components: [CreatureSchema],
  });
}

test("zones over all pages, the map of a zone, and where somebody is", async () => {
  const calls = createLocalCalls(({ service }) =>
    service(ZoneService, {
      listZones: ({ pageToken }) =>
        pageToken === ""
          ? { zones: [{ name: "cave" }], nextPageToken: "2" }
          : { zones: [{ name: "town" }] },
      getMap: ({ zone }) => (zone === "void" ? {} : { map: { zone: zone || "town", width: 9 } }),
      locateCharacter: ({ name }) => ({ name, zone: "cave" }),
    }),
  );
  expect((await calls.zones.list()).map(({ name }) => name)).toEqual(["cave", "town"]);
  expect(await calls.map()).toMatchObject({ zone: "town", width: 9 });
  expect(await calls.map("cave")).toMatchObject({ zone: "cave" });
  expect(await calls.locate("ada")).toMatchObject({ name: "ada", zone: "cave" });
  await expect(calls.map("void")).rejects.toMatchObject({ name: "RealmwireError" });
});

test("what is said is answered as the others hear it, and messages come up to the limit", async () => {
  const sizes: number[] = [];
  const calls = createLocalCalls(({ service }) =>
    service(ChatService, {
      say: ({ text }) => ({ message: { text, kind: ChatKind.SAY } }),
      tell: ({ text, to }) => ({ message: { text, to, kind: ChatKind.TELL } }),
      shout: ({ text }) => ({ message: { text, kind: ChatKind.SHOUT } }),
      listMessages({ pageSize, pageToken }) {
        sizes.push(pageSize);
        const begin = Number(pageToken);
        const messages = Array.from({ length: 30 }, (_, index) => ({ id: begin + index + 1 }));
        return { messages, nextPageToken: `${begin + 30}` };
      },
    }),
  );
  expect(await calls.say("hi")).toMatchObject({ text: "hi", kind: ChatKind.SAY });
  expect(await calls.tell("bob", "hi")).toMatchObject({ to: "bob", kind: ChatKind.TELL });
  expect(await calls.shout("hi")).toMatchObject({ kind: ChatKind.SHOUT });
  expect((await calls.messages()).map(({ id }) => id)).toEqual(
    Array.from({ length: 50 }, (_, index) => index + 1),
  );
  expect(await calls.messages({ limit: 3 })).toHaveLength(3);
  await calls.messages({ limit: 1_000 });
  expect([...new Set(sizes)]).toEqual([50, 3, 200]);
});

test("attributes are plain values both ways", async () => {
  const changes: unknown[] = [];
  const calls = createLocalCalls(({ service }) =>
    service(WorldService, {
      get: ({ name, attributes }) => ({
        attributes: {
          gold: { kind: { case: "intValue", value: 12n } },
          position: { kind: { case: "vectorValue", value: { x: 1, y: 2 } } },
          nothing: {},
          asked: { kind: { case: "stringValue", value: `${name}: ${attributes.join()}` } },
          creature: { kind: { case: "messageValue", value: pack(CreatureSchema, { health: 3 }) } },
        },
      }),
      set({ name, attribute, change }) {
        const { kind } = change.value as Value;
        changes.push([name, attribute, change.case, kind.case, kind.value]);
        return { value: { kind: { case: "intValue", value: 42n } } };
      },
    }),
  );
  expect(await calls.get("ada", ["gold", "position"])).toMatchObject({
    gold: 12,
    position: { x: 1, y: 2, z: 0 },
    nothing: null,
    asked: "ada: gold,position",
    creature: { $typeName: "meadow.v1.Creature", health: 3 },
  });
  expect(await calls.get()).toMatchObject({ asked: ": " });
  expect(await calls.set("", "mood", "glad")).toBe(42);
  expect(await calls.add("ada", "gold", -5)).toBe(42);
  expect(await calls.add("ada", "luck", 0.5)).toBe(42);
  expect(changes).toEqual([
    ["", "mood", "value", "stringValue", "glad"],
    ["ada", "gold", "add", "intValue", -5n],
    ["ada", "luck", "add", "doubleValue", 0.5],
  ]);
});

test("edits carry their commands and options, and undo stands alone", async () => {
  const requests: EditRequest[] = [];
  const calls = createLocalCalls(({ service }) =>
    service(WorldService, {
      edit(request) {
        requests.push(request);
        return { revision: requests.length };
      },
    }),
  );
  const options = { zone: "cave", dryRun: true, expectedRevision: 4 };
  const region = { x: 1, y: 1, width: 2, height: 2 };
  const block = { kind: { case: "setBarriers", value: { region, blocked: true } } } as const;
  expect(await calls.edit([block], options)).toMatchObject({ revision: 1 });
  expect(await calls.undo(7)).toMatchObject({ revision: 2 });
  expect(requests).toMatchObject([
    { ...options, undoRevision: 0, commands: [block] },
    { zone: "", dryRun: false, undoRevision: 7, commands: [] },
  ]);
});
