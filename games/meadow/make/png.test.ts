import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCanvas } from "./canvas.ts";
import type { Canvas } from "./canvas.ts";
import { decodePng, encodePng } from "./png.ts";
import { allTiles, drawSheet } from "./tile-sheet.ts";
import { drawVisuals } from "./visual-sheet.ts";

function canvasOf(width: number, pixels: readonly (readonly number[])[]): Canvas {
  const canvas = createCanvas(width, pixels.length / width);
  for (const [i, pixel] of pixels.entries()) canvas.data.set(pixel, i * 4);
  return canvas;
}

const channel = fc.integer({ min: 0, max: 255 });
// What cannot be seen has no colour of its own, so alpha starts at 1.
const pixel = fc.tuple(channel, channel, channel, fc.integer({ min: 1, max: 255 }));

describe("png", () => {
  it("reads what it writes, with few colours and with many", () => {
    const small = fc.array(pixel, { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(small, (pixels) => {
        const canvas = canvasOf(4, pixels);
        expect(decodePng(encodePng(canvas)).data).toEqual(canvas.data);
      }),
      { numRuns: 50 },
    );
    const many = Array.from({ length: 400 }, (_, i) => [i & 255, i >> 8, 7, 255]);
    const canvas = canvasOf(20, many);
    const file = encodePng(canvas);
    // Byte 25 is the colour type: 6 stands for RGBA.
    expect(file[25]).toBe(6);
    expect(decodePng(file).data).toEqual(canvas.data);
  });

  it.each([0, 1, 2, 3, 4])("reads lines with filter %i", (filter) => {
    const pixels = Array.from({ length: 30 }, (_, i) => [i * 8, 255 - i * 5, (i * 37) % 256, 255]);
    const canvas = canvasOf(6, pixels);
    expect(decodePng(filtered(canvas, filter)).data).toEqual(canvas.data);
  });

  it("refuses what is no PNG", () => {
    expect(() => decodePng(Buffer.from("GIF89a, or so"))).toThrow("not a PNG file");
  });
});

/** A picture as PNG whose lines all have one filter, by the definitions of the specification. */
function filtered(canvas: Canvas, filter: number): Buffer {
  const size = canvas.width * 4;
  const at = (x: number, y: number): number =>
    x < 0 || y < 0 ? 0 : (canvas.data[y * size + x] ?? 0);
  const lines = Buffer.alloc((size + 1) * canvas.height);
  for (let y = 0; y < canvas.height; y++) {
    lines[y * (size + 1)] = filter;
    for (let x = 0; x < size; x++) {
      const [a, b, c] = [at(x - 4, y), at(x, y - 1), at(x - 4, y - 1)];
      const p = a + b - c;
      const nearest = [a, b, c].toSorted((m, n) => Math.abs(p - m) - Math.abs(p - n))[0] ?? 0;
      const guess = [0, a, b, Math.floor((a + b) / 2), nearest][filter] ?? 0;
      lines[y * (size + 1) + 1 + x] = at(x, y) - guess;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(canvas.width, 0);
  header.writeUInt32BE(canvas.height, 4);
  header.set([8, 6], 8);
  const chunks = [
    ["IHDR", header],
    ["IDAT", deflateSync(lines)],
    ["IEND", Buffer.alloc(0)],
  ] as const;
  const frames = chunks.map(([type, data]) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  });
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), ...frames]);
}

describe("the committed pictures", () => {
  const folder = join(import.meta.dirname, "..", "tiles");

  it.each([
    ["meadow.png", () => drawSheet(allTiles())],
    ["visuals.png", () => drawVisuals().sheet],
  ])("%s is what the program draws", async (file, draw) => {
    const committed = decodePng(await readFile(join(folder, file)));
    const drawn = decodePng(encodePng(draw()));
    expect([committed.width, committed.height]).toEqual([drawn.width, drawn.height]);
    expect(Buffer.from(committed.data).equals(Buffer.from(drawn.data))).toBe(true);
  });

  it("have a name for each tile, each only once", () => {
    const names = allTiles().map((tile) => tile.name);
    expect(new Set(names).size).toBe(names.length);
  });
});
