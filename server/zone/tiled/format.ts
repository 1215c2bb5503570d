import * as z from "zod";
import { reasonOf } from "./problems.ts";
import type { Problems } from "./problems.ts";

// The parts of Tiled's JSON map format 1.10 that are read here; other fields are passed over.
// https://doc.mapeditor.org/en/stable/reference/json-map-format/

/** Columns and rows that a map may have at most. */
export const MAX_MAP_SIZE = 1024;
/** Layers that a map may have at most; groups do not count. */
export const MAX_LAYERS = 16;
/** How deep groups of layers may be nested. */
export const MAX_GROUP_DEPTH = 8;
/** Objects, spawns and portals together that a map may have at most. */
export const MAX_OBJECTS = 10_000;
/** Tilesets that a map may have at most. */
export const MAX_TILESETS = 32;
/** Tiles that a tileset may have at most. */
export const MAX_TILESET_TILES = 65_536;
/** The highest tile number that a tileset may begin with. */
export const MAX_FIRST_TILE = MAX_TILESETS * MAX_TILESET_TILES;
/** Characters of the name of a layer, object, spawn, portal, kind or attribute. */
export const MAX_NAME_LENGTH = 64;

const name = z.string().max(MAX_NAME_LENGTH);

const propertySchema = z.object({
  name: name.min(1),
  type: z.string().default("string"),
  value: z.unknown().optional(),
});
/** A custom property. */
export type TiledProperty = z.infer<typeof propertySchema>;

const properties = z.array(propertySchema).default([]);

/** The map itself; what is in `layers` and `tilesets` is checked one by one, so that messages can name it. */
export const mapSchema = z.object({
  orientation: z.string().default("orthogonal"),
  infinite: z.boolean().default(false),
  width: z.int().min(1).max(MAX_MAP_SIZE),
  height: z.int().min(1).max(MAX_MAP_SIZE),
  tilewidth: z.int().min(1),
  tileheight: z.int().min(1),
  layers: z.array(z.unknown()),
  tilesets: z.array(z.unknown()).max(MAX_TILESETS),
});
export type TiledMap = z.infer<typeof mapSchema>;

/** What all layers have. */
export const layerSchema = z.object({
  name: z.string().default(""),
  type: z.string(),
  offsetx: z.number().default(0),
  offsety: z.number().default(0),
});

export const groupSchema = z.object({ layers: z.array(z.unknown()) });

export const tileLayerSchema = z.object({
  width: z.int(),
  height: z.int(),
  data: z.union([z.string(), z.array(z.unknown())]),
  encoding: z.string().default("csv"),
  compression: z.string().default(""),
  properties,
});
export type TiledTileLayer = z.infer<typeof tileLayerSchema>;

export const objectLayerSchema = z.object({ objects: z.array(z.unknown()) });

export const objectSchema = z.object({
  id: z.int(),
  name: z.string().default(""),
  // Tiled 1.9 called it `class`, all others `type`.
  type: z.string().optional(),
  class: z.string().optional(),
  x: z.number(),
  y: z.number(),
  width: z.number().default(0),
  height: z.number().default(0),
  rotation: z.number().default(0),
  gid: z.int().optional(),
  ellipse: z.boolean().default(false),
  point: z.boolean().default(false),
  polygon: z.unknown().optional(),
  polyline: z.unknown().optional(),
  text: z.unknown().optional(),
  template: z.unknown().optional(),
  properties,
});
export type TiledObject = z.infer<typeof objectSchema>;

/** A tileset where the map has it: its own, or a reference to a file. */
export const tilesetEntrySchema = z.object({
  firstgid: z.int().min(1).max(MAX_FIRST_TILE),
  source: z.string().optional(),
});

export const tilesetSchema = z.object({
  name: name.min(1),
  image: z.string().optional(),
  tilecount: z.int().min(1).max(MAX_TILESET_TILES),
  columns: z.int().min(0),
  tilewidth: z.int(),
  tileheight: z.int(),
  margin: z.int().default(0),
  spacing: z.int().default(0),
  objectalignment: z.string().default("unspecified"),
  tiles: z
    .array(
      z.object({
        id: z.int().min(0),
        type: z.string().optional(),
        class: z.string().optional(),
        properties,
      }),
    )
    .default([]),
});
export type TiledTileset = z.infer<typeof tilesetSchema>;

/** Checks a value's shape; notes what is wrong and gives undefined when it does not fit. */
export function checkShape<T extends z.ZodType>(
  schema: T,
  value: unknown,
  problems: Problems,
): z.infer<T> | undefined {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const path = issue.path.map(String).join(".");
    problems.add(path === "" ? issue.message : `${path}: ${issue.message}`);
  }
  return undefined;
}

/** Reads JSON; notes what is wrong and gives undefined when it is none. */
export function parseJson(text: string, problems: Problems): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    problems.add(`not JSON: ${reasonOf(error)}`);
    return undefined;
  }
}
