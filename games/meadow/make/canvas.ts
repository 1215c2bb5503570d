/** A colour as 0xrrggbb. */
export type Color = number;

/** A picture to draw on, in pixels; what is drawn beside it is lost. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and alpha of each pixel, row by row. */
  readonly data: Uint8ClampedArray;
  /** Puts a pixel, over what is there when `alpha` is less than 255. */
  set(x: number, y: number, color: Color, alpha?: number): void;
  /** The alpha of a pixel; 0 beside the picture. */
  alphaAt(x: number, y: number): number;
  /** The colour of a pixel; 0 beside the picture. */
  colorAt(x: number, y: number): Color;
  rect(x: number, y: number, width: number, height: number, color: Color, alpha?: number): void;
  /** Fills an ellipse around a middle. */
  ellipse(x: number, y: number, rx: number, ry: number, color: Color, alpha?: number): void;
  /** Draws another picture, its left top corner at a place, mirrored left to right if wanted. */
  draw(picture: Canvas, x: number, y: number, mirrored?: boolean): void;
  /** A copy of a part. */
  part(x: number, y: number, width: number, height: number): Canvas;
  /** Puts a line of one pixel around all that is drawn (more than half opaque). */
  outline(color: Color): void;
  /** Whether nothing is drawn. */
  isEmpty(): boolean;
}

/** An empty picture. */
export function createCanvas(width: number, height: number): Canvas {
  const data = new Uint8ClampedArray(width * height * 4);
  const isInside = (x: number, y: number): boolean => x >= 0 && y >= 0 && x < width && y < height;
  const canvas: Canvas = {
    width,
    height,
    data,
    set(atX, atY, color, alpha = 255) {
      const [x, y] = [Math.floor(atX), Math.floor(atY)];
      if (isInside(x, y)) blend(data, (y * width + x) * 4, color, alpha);
    },
    alphaAt: (x, y) => (isInside(x, y) ? (data[(y * width + x) * 4 + 3] ?? 0) : 0),
    colorAt(x, y) {
      if (!isInside(x, y)) return 0;
      const i = (y * width + x) * 4;
      return ((data[i] ?? 0) << 16) | ((data[i + 1] ?? 0) << 8) | (data[i + 2] ?? 0);
    },
    rect(x, y, w, h, color, alpha) {
      for (let j = 0; j < h; j++) {
        for (let i = 0; i < w; i++) canvas.set(x + i, y + j, color, alpha);
      }
    },
    ellipse(cx, cy, rx, ry, color, alpha) {
      for (let y = Math.floor(cy - ry); y <= cy + ry; y++) {
        for (let x = Math.floor(cx - rx); x <= cx + rx; x++) {
          const [dx, dy] = [(x + 0.5 - cx) / rx, (y + 0.5 - cy) / ry];
          if (dx * dx + dy * dy <= 1) canvas.set(x, y, color, alpha);
        }
      }
    },
    draw(picture, x, y, mirrored = false) {
      for (let j = 0; j < picture.height; j++) {
        for (let i = 0; i < picture.width; i++) {
          const from = mirrored ? picture.width - 1 - i : i;
          const alpha = picture.alphaAt(from, j);
          if (alpha > 0) canvas.set(x + i, y + j, picture.colorAt(from, j), alpha);
        }
      }
    },
    part(x, y, w, h) {
      const copy = createCanvas(w, h);
      copy.draw(canvas, -x, -y);
      return copy;
    },
    outline(color) {
      const edge: [number, number][] = [];
      const isDrawn = (x: number, y: number): boolean => canvas.alphaAt(x, y) > 127;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          if (isDrawn(x, y)) continue;
          if (isDrawn(x - 1, y) || isDrawn(x + 1, y) || isDrawn(x, y - 1) || isDrawn(x, y + 1)) {
            edge.push([x, y]);
          }
        }
      }
      for (const [x, y] of edge) canvas.set(x, y, color);
    },
    isEmpty: () => data.every((value, i) => i % 4 !== 3 || value === 0),
  };
  return canvas;
}

function blend(data: Uint8ClampedArray, i: number, color: Color, alpha: number): void {
  const below = (data[i + 3] ?? 0) / 255;
  const over = alpha / 255;
  const total = over + below * (1 - over);
  if (total === 0) return;
  for (const [channel, shift] of [16, 8, 0].entries()) {
    const old = data[i + channel] ?? 0;
    const value = ((color >> shift) & 255) * over + old * below * (1 - over);
    data[i + channel] = Math.round(value / total);
  }
  data[i + 3] = Math.round(total * 255);
}

/** A colour between two: 0 gives the first, 1 the second. */
export function mix(a: Color, b: Color, share: number): Color {
  let mixed = 0;
  for (const shift of [16, 8, 0]) {
    const [from, to] = [(a >> shift) & 255, (b >> shift) & 255];
    mixed |= Math.round(from + (to - from) * share) << shift;
  }
  return mixed;
}
