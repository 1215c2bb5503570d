import { START_SPAWN } from "../../sim/world-map.ts";
import { create } from "@bufbuild/protobuf";
import { MapObjectSchema, PortalSchema, SpawnSchema } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import type { MapObject, Portal, Spawn } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import { nameKey } from "../../store/store.ts";
import { tileNumber } from "./data.ts";
import { MAX_NAME_LENGTH, checkShape, objectSchema } from "./format.ts";
import type { TiledObject, TiledProperty } from "./format.ts";
import type { Problems } from "./problems.ts";
import { readProperties, toValue } from "./properties.ts";
import type { LoadedTileset } from "./tilesets.ts";

/** Seconds until a creature appears again, when its spawn does not say. */
export const DEFAULT_RESPAWN_S = 30;
/** Creatures that a spawn of creatures keeps alive, when it does not say. */
export const DEFAULT_SPAWN_COUNT = 1;
/** Attributes that an object may give at most. */
const MAX_ATTRIBUTES = 64;

const SPAWN_RULES = {
  kind: { kind: "text", maxLength: MAX_NAME_LENGTH },
  count: { kind: "number", max: 1000, whole: true },
  radius: { kind: "number", max: 64, whole: false },
  respawn_s: { kind: "number", max: 86_400, whole: false },
} as const;

const PORTAL_RULES = {
  target_zone: { kind: "text", maxLength: 128 },
  target_spawn: { kind: "text", maxLength: MAX_NAME_LENGTH },
} as const;

/** What the objects of a map are read with. */
export interface ObjectContext {
  readonly width: number;
  readonly height: number;
  readonly tileSize: number;
  readonly tilesets: readonly LoadedTileset[];
  /** The kinds of the game; undefined: any. */
  readonly kinds: ReadonlySet<string> | undefined;
  readonly isBarrier: (x: number, y: number) => boolean;
}

/** What the object layers of a map hold. */
export interface FoundObjects {
  readonly objects: MapObject[];
  readonly spawns: Spawn[];
  readonly portals: Portal[];
  /** Names taken so far, with what took them. */
  readonly names: Map<string, number>;
}

/** A rectangle in tiles, with a name, a class and properties: what an object of Tiled comes down to. */
interface Thing {
  readonly id: number;
  readonly name: string;
  readonly kind: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: readonly TiledProperty[];
  readonly isRectangle: boolean;
}

/** Reads one object of an object layer into `found`; notes what is wrong with it. */
export function readObject(
  raw: unknown,
  found: FoundObjects,
  context: ObjectContext,
  problems: Problems,
): void {
  const object = checkShape(objectSchema, raw, problems.within(`object ${idOf(raw)}`));
  if (object === undefined) return;
  const thing = toThing(object, context);
  const place = problems.within(describe(thing));
  if (!isUnderstood(object, place)) return;
  if (!checkNaming(thing, found.names, place)) return;
  if (thing.kind === "portal") {
    readPortal(thing, found, context, place);
    return;
  }
  const [x, y] = middle(thing);
  if (x < 0 || y < 0 || x >= context.width || y >= context.height) {
    place.add("is outside of the map");
  } else if (thing.kind === "spawn") {
    readSpawn(thing, found, context, place);
  } else {
    readMapObject(thing, found, context, place);
  }
}

function idOf(raw: unknown): string {
  const id = typeof raw === "object" && raw !== null && "id" in raw ? raw.id : undefined;
  return typeof id === "number" ? String(id) : "?";
}

/** Tile objects take class and properties from their tile, and their place may be any corner of them. */
function toThing(object: TiledObject, context: ObjectContext): Thing {
  const tileset = findTileset(object.gid, context.tilesets);
  const [left, top] = object.gid === undefined ? [0, 0] : (tileset?.origin ?? [0, 1]);
  const number = tileNumber(object.gid ?? 0) - (tileset?.message.firstTile ?? 0);
  const tile = tileset?.tiles.get(number);
  const kind = object.type || object.class || tile?.kind || "";
  const byName = new Map(
    [...(tile?.properties ?? []), ...object.properties].map((p) => [p.name, p]),
  );
  return {
    id: object.id,
    name: object.name === "" && kind !== "" ? `${kind}-${object.id}` : object.name,
    kind,
    x: (object.x - left * object.width) / context.tileSize,
    y: (object.y - top * object.height) / context.tileSize,
    width: object.width / context.tileSize,
    height: object.height / context.tileSize,
    properties: [...byName.values()],
    isRectangle: object.gid === undefined && !object.ellipse && !object.point && object.width > 0,
  };
}

function findTileset(gid: number | undefined, tilesets: readonly LoadedTileset[]) {
  if (gid === undefined) return undefined;
  const number = tileNumber(gid);
  return tilesets.find(
    ({ message: t }) => number >= t.firstTile && number < t.firstTile + t.tileCount,
  );
}

function middle(thing: Thing): [number, number] {
  return [thing.x + thing.width / 2, thing.y + thing.height / 2];
}

function describe(thing: Thing): string {
  const [x, y] = middle(thing);
  const name = thing.name === "" ? "" : ` "${thing.name}"`;
  return `object ${thing.id}${name} at (${x.toFixed(1)}, ${y.toFixed(1)})`;
}

function isUnderstood(object: TiledObject, problems: Problems): boolean {
  const before = problems.count();
  if (object.template !== undefined) problems.add("templates are not supported; detach it");
  if (object.polygon !== undefined || object.polyline !== undefined) {
    problems.add("polygons and lines are not supported; use a point or a rectangle");
  }
  if (object.text !== undefined) problems.add("texts are not supported; use a point");
  if (object.rotation !== 0) problems.add("must not be rotated");
  return problems.count() === before;
}

/** Names are unique among the spawns, among the portals and among the other objects of a map. */
function checkNaming(thing: Thing, names: Map<string, number>, problems: Problems): boolean {
  if (thing.kind === "") {
    problems.add("has no class; give it spawn, portal or a kind of the game");
    return false;
  }
  if (thing.kind.length > MAX_NAME_LENGTH || thing.name.length > MAX_NAME_LENGTH) {
    problems.add(`name and class may have ${MAX_NAME_LENGTH} characters`);
    return false;
  }
  const group = thing.kind === "spawn" || thing.kind === "portal" ? thing.kind : "object";
  const key = `${group} ${nameKey(thing.name)}`;
  const taken = names.get(key);
  if (taken !== undefined) {
    problems.add(`object ${taken} already has this name`);
    return false;
  }
  names.set(key, thing.id);
  return true;
}

function readMapObject(
  thing: Thing,
  found: FoundObjects,
  context: ObjectContext,
  problems: Problems,
): void {
  checkKind(thing.kind, context, problems);
  if (thing.properties.length > MAX_ATTRIBUTES) {
    problems.add(`has more than ${MAX_ATTRIBUTES} properties`);
    return;
  }
  const [x, y] = middle(thing);
  const object = create(MapObjectSchema, {
    name: thing.name,
    kind: thing.kind,
    position: { x, y },
  });
  for (const property of thing.properties) {
    const value = toValue(property, problems);
    if (value !== undefined) object.attributes[property.name] = value;
  }
  found.objects.push(object);
}

function checkKind(kind: string, context: ObjectContext, problems: Problems): void {
  if (context.kinds?.has(kind) === false) problems.add(`the game has no kind "${kind}"`);
}

function readSpawn(
  thing: Thing,
  found: FoundObjects,
  context: ObjectContext,
  problems: Problems,
): void {
  const given = readProperties(thing.properties, SPAWN_RULES, problems);
  const kind = String(given.get("kind") ?? "");
  if (kind !== "") checkKind(kind, context, problems);
  const [x, y] = middle(thing);
  if (context.isBarrier(Math.floor(x), Math.floor(y))) problems.add("stands in a barrier");
  if (thing.name === START_SPAWN && kind !== "") {
    problems.add("characters begin here, so it must not have a kind");
  }
  const spawn = create(SpawnSchema, {
    name: thing.name,
    kind,
    position: { x, y },
    radius: Number(given.get("radius") ?? 0),
    count: Number(given.get("count") ?? (kind === "" ? 0 : DEFAULT_SPAWN_COUNT)),
    respawnS: Number(given.get("respawn_s") ?? (kind === "" ? 0 : DEFAULT_RESPAWN_S)),
  });
  found.spawns.push(spawn);
}

function readPortal(
  thing: Thing,
  found: FoundObjects,
  context: ObjectContext,
  problems: Problems,
): void {
  const given = readProperties(thing.properties, PORTAL_RULES, problems);
  const targetZone = String(given.get("target_zone") ?? "");
  if (targetZone === "") problems.add(`needs the property "target_zone"`);
  if (!thing.isRectangle) {
    problems.add("a portal must be a rectangle");
    return;
  }
  // The tiles whose middles lie in the rectangle, so that it need not be drawn to the pixel.
  const [left, top] = [Math.round(thing.x), Math.round(thing.y)];
  const [right, bottom] = [Math.round(thing.x + thing.width), Math.round(thing.y + thing.height)];
  const region = { x: left, y: top, width: right - left, height: bottom - top };
  if (left < 0 || top < 0 || right > context.width || bottom > context.height) {
    problems.add("is outside of the map");
  } else if (region.width === 0 || region.height === 0) {
    problems.add("covers no tile");
  } else if (!hasFreeTile(region, context)) {
    problems.add("all its tiles are barriers");
  }
  const targetSpawn = String(given.get("target_spawn") ?? "");
  found.portals.push(create(PortalSchema, { name: thing.name, region, targetZone, targetSpawn }));
}

function hasFreeTile(
  region: { x: number; y: number; width: number; height: number },
  context: ObjectContext,
): boolean {
  for (let y = region.y; y < region.y + region.height; y++) {
    for (let x = region.x; x < region.x + region.width; x++) {
      if (!context.isBarrier(x, y)) return true;
    }
  }
  return false;
}
