import { clone, create } from "@bufbuild/protobuf";
import { ZoneMapSchema } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type {
  MapObject,
  Portal,
  Spawn,
  TileLayer,
  ZoneMap,
} from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { Region } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type { Ground } from "./movement.ts";

/** The spawn at which characters begin. */
export const START_SPAWN = "start";
/** The bits of a tile's number that turn it, as in Tiled's files. */
const TILE_NUMBER_MASK = 0x1fffffff;

/** The map of a running zone: what can be walked on and what stands where. Only edits change it. */
export interface WorldMap extends Ground {
  readonly zone: string;
  revision: number;
  readonly layers: ReadonlyMap<string, TileLayer>;
  readonly objects: Map<string, MapObject>;
  readonly spawns: Map<string, Spawn>;
  readonly portals: Map<string, Portal>;
  setBlocked(x: number, y: number, blocked: boolean): void;
  /** Whether the tiles of a place make it a barrier: a solid tile, or any tile of a collision layer. */
  solid(x: number, y: number): boolean;
  /** Whether a tile number is nothing or in a tileset. */
  hasTile(tile: number): boolean;
  /** The portal whose region holds a place, the first by name; undefined when none does. */
  portalAt(x: number, y: number): Portal | undefined;
  /** The whole map as a message of its own. */
  toMessage(): ZoneMap;
}

/** The map that a message describes; the message is copied. */
export function createWorldMap(source: ZoneMap): WorldMap {
  const base = clone(ZoneMapSchema, source);
  const { width, height } = base;
  const blocked = unpackBits(base.barriers, width * height);
  const layers = new Map(base.layers.map((layer) => [layer.name, layer]));
  const objects = byName(base.objects);
  const spawns = byName(base.spawns);
  const portals = byName(base.portals);
  const solidTiles = new Set(
    base.tilesets.flatMap((set) => set.solidTiles.map((tile) => set.firstTile + tile)),
  );

  const map: WorldMap = {
    zone: base.zone,
    revision: base.revision,
    width,
    height,
    layers,
    objects,
    spawns,
    portals,
    blocked: (x, y) => x < 0 || y < 0 || x >= width || y >= height || blocked[y * width + x] === 1,
    setBlocked(x, y, value) {
      blocked[y * width + x] = value ? 1 : 0;
    },
    solid(x, y) {
      for (const { tiles, collision } of base.layers) {
        const tile = (tiles[y * width + x] ?? 0) & TILE_NUMBER_MASK;
        if (tile !== 0 && (collision || solidTiles.has(tile))) return true;
      }
      return false;
    },
    hasTile(number) {
      const tile = number & TILE_NUMBER_MASK;
      if (tile === 0) return number === 0;
      return base.tilesets.some(
        ({ firstTile, tileCount }) => tile >= firstTile && tile < firstTile + tileCount,
      );
    },
    portalAt(x, y) {
      for (const portal of portals.values()) {
        if (portal.region && contains(portal.region, x, y)) return portal;
      }
      return undefined;
    },
    toMessage: () =>
      create(ZoneMapSchema, {
        zone: base.zone,
        revision: map.revision,
        width,
        height,
        tileSize: base.tileSize,
        layers: base.layers.map((layer) => ({ ...layer, tiles: [...layer.tiles] })),
        tilesets: base.tilesets,
        barriers: packBits(blocked),
        objects: [...objects.values()],
        spawns: [...spawns.values()],
        portals: [...portals.values()],
      }),
  };
  return map;
}

/** Whether a place lies in a region of tiles. */
export function contains(region: Region, x: number, y: number): boolean {
  return (
    x >= region.x && y >= region.y && x < region.x + region.width && y < region.y + region.height
  );
}

function byName<T extends { name: string }>(items: readonly T[]): Map<string, T> {
  const sorted = [...items].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return new Map(sorted.map((item) => [item.name, item]));
}

/**
 * Puts an item by its name and keeps the items in the order of their names: whatever was put when, a map
 * with the same items is the same map, on which a simulation goes on in the same way.
 */
export function putNamed<T extends { name: string }>(items: Map<string, T>, item: T): void {
  const isNew = !items.has(item.name);
  items.set(item.name, item);
  if (!isNew) return;
  for (const [name, other] of [...items]) {
    if (name <= item.name) continue;
    items.delete(name);
    items.set(name, other);
  }
}

function unpackBits(bits: Uint8Array, count: number): Uint8Array {
  const flags = new Uint8Array(count);
  for (let i = 0; i < count; i++) flags[i] = ((bits[i >> 3] ?? 0) >> (i & 7)) & 1;
  return flags;
}

function packBits(flags: Uint8Array): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array((flags.length + 7) >> 3);
  for (let i = 0; i < flags.length; i++) {
    if (flags[i]) bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7));
  }
  return bits;
}
