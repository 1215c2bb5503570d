// Small maps for the tests of the loader.
import type { ZoneMap } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import { MapError, parseTiledMap } from "./tiled.ts";

export type Json = Record<string, unknown>;

export const TILE = 32;
export const START = { id: 1, name: "start", type: "spawn", point: true, x: 16, y: 16 };

export const tileset = (more: Json = {}): Json => ({
  firstgid: 1,
  name: "basic",
  image: "../tiles/basic.png",
  tilecount: 8,
  columns: 4,
  tilewidth: TILE,
  tileheight: TILE,
  tiles: [{ id: 2, properties: [{ name: "solid", type: "bool", value: true }] }],
  ...more,
});

export const ground = (more: Json = {}): Json => ({
  name: "ground",
  type: "tilelayer",
  width: 4,
  height: 3,
  data: Array.from({ length: 12 }, () => 1),
  ...more,
});

export const things = (...objects: Json[]): Json => ({
  name: "things",
  type: "objectgroup",
  objects,
});

/** A map of 4 × 3 tiles with a start at its first tile, and more layers above. */
export const tiledMap = (layers: Json[] = [], more: Json = {}): string =>
  JSON.stringify({
    orientation: "orthogonal",
    infinite: false,
    width: 4,
    height: 3,
    tilewidth: TILE,
    tileheight: TILE,
    layers: [ground(), { name: "starts", type: "objectgroup", objects: [START] }, ...layers],
    tilesets: [tileset()],
    ...more,
  });

export const parse = (text: string, more: { kinds?: ReadonlySet<string> } = {}): ZoneMap =>
  parseTiledMap({ zone: "town", file: "town.tmj", text, ...more });

export function problemsOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof MapError) return error.problems;
    throw error;
  }
  return [];
}

export const object = (more: Json): Json => ({
  id: 14,
  name: "well",
  type: "well",
  x: 80,
  y: 64,
  ...more,
});
export const portal = (more: Json): Json =>
  object({
    name: "out",
    type: "portal",
    width: 32,
    height: 32,
    properties: [to("meadow")],
    ...more,
  });
export const to = (value: string): Json => ({ name: "target_zone", type: "string", value });
export const withGround = (more: Json): string =>
  tiledMap([], { layers: [ground(more), things(START)] });
