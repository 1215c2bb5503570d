import { crc32, deflateSync, inflateSync } from "node:zlib";
import { createCanvas } from "./canvas.ts";
import type { Canvas } from "./canvas.ts";

// PNG as in https://www.w3.org/TR/png-3/, as far as these pictures need it: 8 bits, not interlaced.

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const PALETTE_SIZE = 256;
const COLOR_PALETTE = 3;
const COLOR_RGBA = 6;

/** A canvas as a PNG file: with a palette when it has at most 256 colours, else as RGBA. */
export function encodePng(canvas: Canvas): Buffer {
  const palette = findPalette(canvas);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(canvas.width, 0);
  header.writeUInt32BE(canvas.height, 4);
  header[8] = 8;
  header[9] = palette === undefined ? COLOR_RGBA : COLOR_PALETTE;
  const chunks = [chunk("IHDR", header)];
  if (palette !== undefined) {
    const colors = [...palette.keys()];
    chunks.push(
      chunk(
        "PLTE",
        Buffer.from(colors.flatMap((c) => [c >>> 24, (c >>> 16) & 255, (c >>> 8) & 255])),
      ),
      chunk("tRNS", Buffer.from(colors.map((c) => c & 255))),
    );
  }
  const lines = palette === undefined ? rgbaLines(canvas) : paletteLines(canvas, palette);
  chunks.push(chunk("IDAT", deflateSync(lines, { level: 9 })), chunk("IEND", Buffer.alloc(0)));
  return Buffer.concat([SIGNATURE, ...chunks]);
}

function findPalette(canvas: Canvas): Map<number, number> | undefined {
  const palette = new Map<number, number>();
  for (let i = 0; i < canvas.data.length; i += 4) {
    const color = colorAt(canvas, i);
    if (!palette.has(color)) palette.set(color, palette.size);
    if (palette.size > PALETTE_SIZE) return undefined;
  }
  return palette;
}

function colorAt(canvas: Canvas, i: number): number {
  const [r = 0, g = 0, b = 0, a = 0] = canvas.data.subarray(i, i + 4);
  // All that cannot be seen is one colour.
  return a === 0 ? 0 : ((r << 24) | (g << 16) | (b << 8) | a) >>> 0;
}

function paletteLines(canvas: Canvas, palette: ReadonlyMap<number, number>): Buffer {
  const lines = Buffer.alloc((canvas.width + 1) * canvas.height);
  for (let y = 0; y < canvas.height; y++) {
    for (let x = 0; x < canvas.width; x++) {
      const index = palette.get(colorAt(canvas, (y * canvas.width + x) * 4)) ?? 0;
      lines[y * (canvas.width + 1) + 1 + x] = index;
    }
  }
  return lines;
}

function rgbaLines(canvas: Canvas): Buffer {
  const size = canvas.width * 4;
  const lines = Buffer.alloc((size + 1) * canvas.height);
  for (let y = 0; y < canvas.height; y++) {
    lines.set(canvas.data.subarray(y * size, (y + 1) * size), y * (size + 1) + 1);
  }
  return lines;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(body.length + 8);
  frame.writeUInt32BE(data.length, 0);
  frame.set(body, 4);
  frame.writeUInt32BE(crc32(body), body.length + 4);
  return frame;
}

/** Reads a PNG file of 8 bits a channel, with or without a palette. Throws an error for any other. */
export function decodePng(file: Buffer): Canvas {
  const chunks = readChunks(file);
  const header = Buffer.concat(chunks.get("IHDR") ?? []);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const channels = { 2: 3, 3: 1, 6: 4 }[header[9] ?? 0];
  if (channels === undefined || header[8] !== 8 || header[12] !== 0) {
    throw new Error("only PNG files with 8 bits a channel that are not interlaced can be read");
  }
  const lines = unfilter(
    inflateSync(Buffer.concat(chunks.get("IDAT") ?? [])),
    width,
    height,
    channels,
  );
  const colors = Buffer.concat(chunks.get("PLTE") ?? []);
  const alphas = Buffer.concat(chunks.get("tRNS") ?? []);
  const canvas = createCanvas(width, height);
  for (let i = 0; i < width * height; i++) {
    const pixel = lines.subarray(i * channels, (i + 1) * channels);
    const index = pixel[0] ?? 0;
    const rgba =
      channels === 1
        ? [...colors.subarray(index * 3, index * 3 + 3), alphas[index] ?? 255]
        : [...pixel, 255].slice(0, 4);
    canvas.data.set(rgba, i * 4);
  }
  return canvas;
}

function readChunks(file: Buffer): Map<string, Buffer[]> {
  if (!file.subarray(0, 8).equals(SIGNATURE)) throw new Error("not a PNG file");
  const chunks = new Map<string, Buffer[]>();
  for (let at = 8; at < file.length;) {
    const length = file.readUInt32BE(at);
    const type = file.toString("latin1", at + 4, at + 8);
    chunks.set(type, [...(chunks.get(type) ?? []), file.subarray(at + 8, at + 8 + length)]);
    at += length + 12;
  }
  return chunks;
}

/** Takes the filters off the lines of a picture. */
function unfilter(data: Buffer, width: number, height: number, channels: number): Buffer {
  const size = width * channels;
  const out = Buffer.alloc(size * height);
  for (let y = 0; y < height; y++) {
    const filter = data[y * (size + 1)] ?? 0;
    for (let i = 0; i < size; i++) {
      const left = i >= channels ? (out[y * size + i - channels] ?? 0) : 0;
      const up = y > 0 ? (out[(y - 1) * size + i] ?? 0) : 0;
      const corner = y > 0 && i >= channels ? (out[(y - 1) * size + i - channels] ?? 0) : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0;
      out[y * size + i] = (data[y * (size + 1) + 1 + i] ?? 0) + guess;
    }
  }
  return out;
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
