import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { plainLogger } from "../../server/logger.ts";
import { createMeters } from "../../server/metrics/meters.ts";
import { createMetricsRegistry } from "../../server/metrics/registry.ts";

/** Metrics as they were read at one moment. */
export interface Scrape {
  readonly text: string;
  /** The value of a series by its name and some of its labels; the sum where several fit, undefined where none does. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
  /** The names of metrics by their types. */
  readonly types: ReadonlyMap<string, string>;
  /** All values of a label. */
  labels(name: string, label: string): Set<string>;
}

interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The metrics that every server tells, without one: nothing has happened yet. */
export async function describeMetrics(): Promise<Scrape> {
  const meters = createMeters({ logger: plainLogger, zones: ["town"], now: () => 0 });
  meters.onMethods(WorldService.methods);
  const registry = createMetricsRegistry(meters, {
    build: { version: "1", commit: "c", game: "g" },
    tickRateHz: 10,
    zones: ["town"],
    characters: () => 0,
    ready: () => true,
    players: () => 0,
    waitingRows: () => 0,
    traffic: () => ({ receivedBytes: 0, sentBytes: 0, refused: 0, protocols: [] }),
  });
  return parseMetrics(await registry.metrics());
}

/** Reads the metrics of a server as Prometheus does. */
export async function scrape(port: number | undefined): Promise<Scrape> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  if (!response.ok) throw new Error(`/metrics answers ${response.status}`);
  return parseMetrics(await response.text());
}

/** Metrics in Prometheus' text format. Throws where a line is not of it. */
function parseMetrics(text: string): Scrape {
  const lines = text.split("\n").filter((line) => line !== "");
  const series = lines.filter((line) => !line.startsWith("#")).map(parseSeries);
  const find = (name: string, labels: Readonly<Record<string, string>>) =>
    series.filter(
      (each) =>
        each.name === name &&
        Object.entries(labels).every(([label, value]) => each.labels[label] === value),
    );
  return {
    text,
    types: new Map(
      lines.flatMap((line) => {
        const [, name = "", type = ""] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
        return name === "" ? [] : [[name, type] as const];
      }),
    ),
    value(name, labels = {}) {
      const found = find(name, labels);
      return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
    },
    labels: (name, label) => new Set(find(name, {}).map(({ labels }) => labels[label] ?? "")),
  };
}

function parseSeries(line: string): Series {
  const match = /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? (\S+)$/i.exec(line);
  const value = Number(match?.[3]?.replace("Nan", "NaN"));
  if (!match) throw new Error(`no line of Prometheus' format: ${line}`);
  const labels = [...(match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(
    ([, label = "", text = ""]) => [label, text] as const,
  );
  return { name: match[1] ?? "", labels: Object.fromEntries(labels), value };
}
