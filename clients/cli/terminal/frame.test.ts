import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ZoneMapSchema } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import { EntityKind } from "../../ts/index.ts";
import type { WorldEntity } from "../../ts/index.ts";
import { composeFrame } from "./frame.ts";
import type { LiveContent } from "./frame.ts";
import { createGlyphs } from "../map/glyphs.ts";
import { line, lineWidth, renderLine } from "./line.ts";
import { tokensOf } from "../map/map-drawing.ts";
import { createMessagePane } from "./message-pane.ts";
import { createPaint } from "./paint.ts";
import { createTerrain } from "../map/terrain.ts";

const FIRST_TILE = 10;
/** Numbers of the tileset of the default world. */
const WATER = 71;
const GRASS = 0;
const HOUSE = 196;
/** Set in a tile that is mirrored. */
const MIRRORED = 0x8000_0000;

const [W, G, H] = [FIRST_TILE + WATER, FIRST_TILE + GRASS, FIRST_TILE + HOUSE];
const map = create(ZoneMapSchema, {
  width: 4,
  height: 2,
  tilesets: [{ name: "meadow", firstTile: FIRST_TILE }],
  // The lower layer, and one house above it.
  layers: [
    { name: "ground", tiles: [W, G, G, G, (W | MIRRORED) >>> 0, G, G, G] },
    { name: "above", tiles: [0, 0, 0, H, 0, 0, 0, 0] },
  ],
  // The water and the house.
  barriers: new Uint8Array([0b0001_1001]),
  portals: [{ name: "out", region: { x: 2, y: 1, width: 1, height: 1 } }],
});

const entity = (id: number, kind: EntityKind, visual: string, x: number, y: number) =>
  ({ id, kind, visual, name: `${visual}-${id}`, position: { x, y } }) as WorldEntity;
const self = entity(1, EntityKind.CHARACTER, "player", 1.5, 0.5);
const entities = [
  self,
  entity(2, EntityKind.OBJECT, "well", 1.4, 0.6),
  entity(3, EntityKind.CREATURE, "hen-2", 2.5, 0.5),
  entity(4, EntityKind.CREATURE, "hare", 1.5, 1.5),
  entity(5, EntityKind.CREATURE, "hen-1", 1.5, 1.5),
];
const glyphs = createGlyphs();
const tokens = tokensOf(
  entities,
  self,
  (one) => glyphs.of(one, self),
  ({ position }) => position,
);

function contentWith(typed?: LiveContent["typed"]): LiveContent {
  const messages = createMessagePane();
  messages.add([line("12:00:00 ada: good morning to everybody in this town and around it")]);
  return {
    status: "ada · town · 1.5, 0.5",
    picture: { terrain: createTerrain(map), tokens, center: self.position },
    messages,
    typed,
  };
}

function frameOf(columns: number, rows: number, typed?: LiveContent["typed"]) {
  const { lines, cursor } = composeFrame(contentWith(typed), columns, rows);
  return { lines, cursor, texts: lines.map((one) => renderLine(one, createPaint("none"))) };
}

test("[SM-27] the map shows ground, barriers, ways out and who is there, with what the signs mean", () => {
  const { texts } = frameOf(80, 24);
  const row = texts.findIndex((text) => text.includes("@W"));
  expect(texts[row]?.trimStart()).toMatch(/^~~@Wh \|\|/);
  expect(texts[row + 1]?.trimStart()).toMatch(/^~~ha<>/);
  const all = texts.join("\n");
  for (const meaning of ["@ you", "W well", "h hen ×2", "a hare"]) expect(all).toContain(meaning);
  expect(texts[0]).toContain("ada · town");
  expect(all).toContain("good morning");
});

test("[SM-27] at every size the screen is exactly filled, and no row is wider than it", () => {
  for (let columns = 1; columns <= 140; columns += 3) {
    for (let rows = 1; rows <= 60; rows += 3) {
      for (const typed of [undefined, { text: "say 日本語 ".repeat(20), cursor: 30 }]) {
        const { lines, cursor } = frameOf(columns, rows, typed);
        expect(lines).toHaveLength(rows);
        for (const one of lines) expect(lineWidth(one)).toBeLessThanOrEqual(columns);
        if (cursor) expect(cursor.column).toBeLessThan(columns);
      }
    }
  }
});

test("a terminal that is too small says how large it has to be", () => {
  expect(frameOf(60, 9).texts.join("\n")).toContain("30 × 10");
  expect(frameOf(29, 40).texts.join(" ")).toContain("Too small");
  expect(frameOf(30, 10).texts.join("\n")).toContain("@");
});

test("a command that is longer than the row is shown around its cursor", () => {
  const text = "say abcdefghijklmnopqrstuvwxyz and so on and on";
  const { texts, cursor } = frameOf(40, 20, { text, cursor: text.length });
  expect(texts.at(-1)?.endsWith("and so on and on")).toBe(true);
  expect(cursor).toEqual({ row: 19, column: texts.at(-1)?.length });
  const start = frameOf(40, 20, { text, cursor: 0 });
  expect(start.texts.at(-1)).toMatch(/^> say abcdefgh/);
  expect(start.cursor).toEqual({ row: 19, column: 2 });
});

test("a sign keeps its meaning, and the first free letter of a name is taken", () => {
  const of = (visual: string, kind: EntityKind) => glyphs.of(entity(9, kind, visual, 0, 0), self);
  expect(of("hen-7", EntityKind.CREATURE).sign).toBe("h");
  expect(of("hare", EntityKind.CREATURE).sign).toBe("a");
  expect(of("hah", EntityKind.CREATURE).sign).toBe("h");
  expect(of("well", EntityKind.OBJECT).sign).toBe("W");
  expect(of("日本", EntityKind.OBJECT).sign).toBe("?");
  expect(of("player", EntityKind.CHARACTER)).toMatchObject({ sign: "@", meaning: "players" });
});
