import { gunzipSync, inflateSync } from "node:zlib";
import { reasonOf } from "./problems.ts";
import type { Problems } from "./problems.ts";
import type { TiledTileLayer } from "./format.ts";

const BYTES_PER_TILE = 4;
const MAX_UINT32 = 0xffff_ffff;
const BASE64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/;

/** The bits of a tile's number that turn or mirror it. */
export const TILE_FLAGS = 0xe000_0000;

/** A tile's number without the bits that turn it. */
export function tileNumber(tile: number): number {
  return (tile & ~TILE_FLAGS) >>> 0;
}

/**
 * The tiles of a layer, row by row, from any of Tiled's encodings: CSV, and Base64 plain, gzip or zlib.
 * Notes what is wrong and gives undefined when they cannot be read or are too few or too many.
 */
export function decodeTiles(layer: TiledTileLayer, problems: Problems): number[] | undefined {
  const count = layer.width * layer.height;
  switch (layer.encoding) {
    case "csv":
      return decodeList(layer, count, problems);
    case "base64":
      return decodeBase64(layer, count, problems);
    default:
      problems.add(`encoding "${layer.encoding}" is unknown; use CSV or Base64`);
      return undefined;
  }
}

function decodeList(layer: TiledTileLayer, count: number, problems: Problems) {
  if (typeof layer.data === "string") {
    problems.add("data: a list of tile numbers was expected");
    return undefined;
  }
  if (!rightCount(layer.data.length, layer, count, problems)) return undefined;
  const wrong = layer.data.findIndex((tile) => !isTile(tile));
  if (wrong >= 0) {
    const place = `tile (${wrong % layer.width}, ${Math.floor(wrong / layer.width)})`;
    problems.add(`${place}: ${JSON.stringify(layer.data[wrong])} is not a tile number`);
    return undefined;
  }
  return layer.data as number[];
}

function isTile(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_UINT32;
}

function decodeBase64(layer: TiledTileLayer, count: number, problems: Problems) {
  if (typeof layer.data !== "string" || !BASE64.test(layer.data)) {
    problems.add("data: text in Base64 was expected");
    return undefined;
  }
  const bytes = unpack(Buffer.from(layer.data, "base64"), layer.compression, count, problems);
  if (bytes === undefined) return undefined;
  if (!rightCount(bytes.length / BYTES_PER_TILE, layer, count, problems)) return undefined;
  return Array.from({ length: count }, (_, i) => bytes.readUInt32LE(i * BYTES_PER_TILE));
}

function unpack(packed: Buffer, compression: string, count: number, problems: Problems) {
  // One tile more than wanted is enough to notice that there are too many.
  const limits = { maxOutputLength: (count + 1) * BYTES_PER_TILE };
  try {
    switch (compression) {
      case "":
        return packed;
      case "gzip":
        return gunzipSync(packed, limits);
      case "zlib":
        return inflateSync(packed, limits);
      case "zstd":
        problems.add("compression zstd is not supported; use gzip, zlib or none");
        return undefined;
      default:
        problems.add(`compression "${compression}" is unknown; use gzip, zlib or none`);
        return undefined;
    }
  } catch (error) {
    problems.add(`data: cannot be unpacked with ${compression}: ${reasonOf(error)}`);
    return undefined;
  }
}

function rightCount(found: number, layer: TiledTileLayer, count: number, problems: Problems) {
  if (found === count) return true;
  const wanted = `${layer.width} × ${layer.height} need ${count}`;
  problems.add(`data: has ${found} tiles, but ${wanted}`);
  return false;
}
