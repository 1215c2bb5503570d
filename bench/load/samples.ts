/** Numbers of which percentiles are wanted. */
export interface Samples {
  add(value: number): void;
  clear(): void;
  readonly count: number;
  /** The value below which this share of all lie; NaN when there is none. */
  percentile(share: number): number;
}

const INITIAL_CAPACITY = 1024;

/** No numbers yet. */
export function createSamples(): Samples {
  let values = new Float64Array(INITIAL_CAPACITY);
  let count = 0;
  return {
    add(value) {
      if (count === values.length) {
        const more = new Float64Array(count * 2);
        more.set(values);
        values = more;
      }
      values[count++] = value;
    },
    clear() {
      count = 0;
    },
    get count() {
      return count;
    },
    percentile(share) {
      const sorted = values.slice(0, count).sort();
      return sorted[Math.min(count - 1, Math.floor(share * count))] ?? Number.NaN;
    },
  };
}
