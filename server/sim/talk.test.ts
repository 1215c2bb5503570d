import { expect, it } from "vitest";
import { ChatKind } from "../../gen/ts/realmwire/v1/chat_pb.ts";
import { createTestZone, drawMap, input, join } from "../../test/support/sim.ts";
import { EARSHOT_TILES } from "./talk.ts";

const WIDE = drawMap([".".repeat(60)]);

function hear(text: string, shout: boolean): string[] {
  const { zone } = createTestZone(WIDE);
  join(zone, "ada", { x: 1.5, y: 0.5 });
  join(zone, "near", { x: 1.5 + EARSHOT_TILES, y: 0.5 });
  join(zone, "far", { x: 1.6 + EARSHOT_TILES + 1, y: 0.5 });
  const { kind } = zone.apply(input({ case: "say", value: { name: "ada", text, shout } }));
  expect(kind.case === "chat" && kind.value).toMatchObject({
    from: "ada",
    text,
    zone: "test",
    kind: shout ? ChatKind.SHOUT : ChatKind.SAY,
    entityId: 1,
  });
  const { personal } = zone.step();
  for (const { event } of personal) {
    expect(event.kind.case === "chat" && event.kind.value.text).toBe(text);
  }
  return personal.map(({ character }) => character);
}

it("[JW-3] what is said is heard within earshot, the speaker included, and not beyond", () => {
  expect(hear("hello", false)).toEqual(["ada", "near"]);
});

it("[SM-17] a shout is heard in the whole zone", () => {
  expect(hear("hello", true)).toEqual(["ada", "near", "far"]);
});

it.each(["Grüße, Łódź", "你好，世界", "שלום", "🧙‍♀️ e\u0301 \u0000 '; --", " "])(
  "[JW-3] letters of every language stay unchanged: %j",
  (text) => {
    expect(hear(text, false)).toHaveLength(2);
  },
);

it("who is not there says nothing", () => {
  const { zone } = createTestZone(WIDE);
  const { kind } = zone.apply(input({ case: "say", value: { name: "ada", text: "hi" } }));
  expect(kind.case).toBe("refusal");
  expect(zone.step().personal).toEqual([]);
});
