import { Histogram, type Registry } from "prom-client";
import type { DurationCounts } from "./durations.ts";

/** A histogram of one row, with its labels. */
export interface LabelledCounts {
  readonly labels: Readonly<Record<string, string>>;
  readonly counts: DurationCounts;
}

/** What a histogram is read from. */
export interface HistogramSource {
  readonly name: string;
  readonly help: string;
  readonly bounds: readonly number[];
  readonly read: () => readonly LabelledCounts[];
}

/** Registers a histogram whose buckets were counted elsewhere: prom-client's own would look labels up with each measurement. */
export function registerHistogram(registry: Registry, source: HistogramSource): void {
  registry.registerMetric(new ReadHistogram(source));
}

// A class, since prom-client's metrics are.
class ReadHistogram extends Histogram {
  private readonly source: HistogramSource;

  constructor(source: HistogramSource) {
    const { name, help, bounds } = source;
    super({ name, help, buckets: [...bounds], registers: [] });
    this.source = source;
  }

  override get() {
    const { name, help, bounds, read } = this.source;
    const ends = [...bounds.map(String), "+Inf"];
    const values = read().flatMap(({ labels, counts }) => [
      ...ends.map((le, i) => ({
        metricName: `${name}_bucket`,
        labels: { ...labels, le },
        value: counts.cumulative[i] ?? 0,
      })),
      { metricName: `${name}_sum`, labels, value: counts.sum },
      { metricName: `${name}_count`, labels, value: counts.cumulative.at(-1) ?? 0 },
    ]);
    return Promise.resolve({ name, help, type: "histogram", aggregator: "sum", values } as never);
  }

  /** What prom-client asks when it writes text. */
  getForPromString() {
    return this.get();
  }
}
