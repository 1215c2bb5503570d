import { Counter, Gauge, Registry } from "prom-client";
import { ErrorReasonSchema } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { COUNTED_LEVELS } from "./counted-logger.ts";
import { CALL_BUCKETS, type DurationCounts, TICK_BUCKETS } from "./durations.ts";
import type { Meters } from "./meters.ts";
import { type HistogramSource, registerHistogram } from "./read-histogram.ts";

/** What is asked when metrics are read, besides the meters. */
export interface MetricSources {
  readonly build: { readonly version: string; readonly commit: string; readonly game: string };
  readonly tickRateHz: number;
  /** The zones of the game; how many characters are in one, undefined while it does not run. */
  readonly zones: readonly string[];
  characters(zone: string): number | undefined;
  ready(): boolean;
  players(): number;
  /** Rows that wait to be written. */
  waitingRows(): number;
  traffic(): {
    readonly receivedBytes: number;
    readonly sentBytes: number;
    readonly refused: number;
    readonly protocols: readonly {
      readonly protocol: string;
      readonly tls: boolean;
      readonly accepted: number;
      readonly open: number;
    }[];
  };
}

/** A registry that reads everything when it is asked. Labels come from descriptors, the game's zones and closed lists only, so their number is bounded. */
export function createMetricsRegistry(meters: Meters, sources: MetricSources): Registry {
  const registry = new Registry();
  const metrics = metricsOf(registry);
  describeServer(metrics, meters, sources);
  describeCalls(metrics, meters);
  describePort(metrics, sources);
  describeZones(metrics, meters, sources);
  describeStore(metrics, meters, sources);
  return registry;
}

/** Values of a metric by their labels. Without labels a number. */
type Read = () => readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];

interface Metrics {
  value(kind: "gauge" | "counter", name: string, help: string, read: () => number): void;
  values(
    kind: "gauge" | "counter",
    name: string,
    help: string,
    labelNames: readonly string[],
    read: Read,
  ): void;
  histogram(source: Omit<HistogramSource, "name">, name: string): void;
}

/** Metrics of a registry, each set anew when it is read. */
function metricsOf(registry: Registry): Metrics {
  const values: Metrics["values"] = (kind, name, help, labelNames, read) => {
    const common = { name: `realmwire_${name}`, help, labelNames: [...labelNames] };
    if (kind === "gauge") {
      const gauge: Gauge = new Gauge({ ...common, registers: [registry], collect });
      function collect(): void {
        gauge.reset();
        for (const [labels, value] of read()) gauge.set(labels, value);
      }
      return;
    }
    const counter: Counter = new Counter({ ...common, registers: [registry], collect: count });
    function count(): void {
      counter.reset();
      for (const [labels, value] of read()) counter.inc(labels, value);
    }
  };
  return {
    values,
    value: (kind, name, help, read) => values(kind, name, help, [], () => [[{}, read()]]),
    histogram: (source, name) =>
      registerHistogram(registry, { ...source, name: `realmwire_${name}` }),
  };
}

function describeServer({ value, values }: Metrics, meters: Meters, sources: MetricSources): void {
  const { build } = sources;
  values("gauge", "build_info", "What runs: always 1.", ["version", "commit", "game"], () => [
    [{ ...build }, 1],
  ]);
  value("gauge", "ready", "Whether the server takes calls, as /readyz tells: 1 or 0.", () =>
    Number(sources.ready()),
  );
  value("gauge", "players", "Characters in the world.", sources.players);
  values("counter", "log_lines_total", "Lines of the log by level.", ["level"], () =>
    COUNTED_LEVELS.map((level) => [{ level }, meters.lines[level]]),
  );
}

function describeCalls({ values, value, histogram }: Metrics, meters: Meters): void {
  const { calls, refused, views } = meters;
  const open = (unary: boolean) => (): ReturnType<Read> =>
    calls
      .read()
      .filter(({ durations }) => (durations !== undefined) === unary)
      .map(({ name, inProgress }) => [{ method: name }, inProgress]);
  values("counter", "calls_total", "Calls that ended.", ["method", "code"], () =>
    calls
      .read()
      .flatMap(({ name, ended }) =>
        [...ended].map(([code, count]) => [{ method: name, code }, count] as const),
      ),
  );
  values("gauge", "calls_open", "Unary calls that are being made.", ["method"], open(true));
  values("gauge", "streams_open", "Streams that are open.", ["method"], open(false));
  histogram(
    {
      help: "How long unary calls took, from their arrival to their answer.",
      bounds: CALL_BUCKETS,
      read: () =>
        calls
          .read()
          .flatMap(({ name, durations }) =>
            durations ? [{ labels: { method: name }, counts: durations }] : [],
          ),
    },
    "call_duration_seconds",
  );
  values("counter", "refusals_total", "Refused calls by reason.", ["reason"], () =>
    ErrorReasonSchema.values
      .filter(({ number }) => number !== 0)
      .map(({ number, name }) => [
        { reason: name.replace("ERROR_REASON_", "") },
        refused.get(number) ?? 0,
      ]),
  );
  value(
    "counter",
    "views_resynchronised_total",
    "Times that an update stream began afresh because its client had fallen behind.",
    () => views.resynchronised,
  );
  value(
    "counter",
    "view_events_dropped_total",
    "Events that were dropped because a client did not read.",
    () => views.droppedEvents,
  );
}

function describePort({ value, values }: Metrics, { traffic }: MetricSources): void {
  const byProtocol = (count: "open" | "accepted") => (): ReturnType<Read> =>
    traffic().protocols.map((each) => [
      { protocol: each.protocol, tls: String(each.tls) },
      each[count],
    ]);
  const labels = ["protocol", "tls"];
  values("gauge", "connections_open", "Connections that are open.", labels, byProtocol("open"));
  values(
    "counter",
    "connections_total",
    "Connections that were taken.",
    labels,
    byProtocol("accepted"),
  );
  value(
    "counter",
    "connections_refused_total",
    "Connections that were closed because too many were open.",
    () => traffic().refused,
  );
  value(
    "counter",
    "received_bytes_total",
    "Bytes received at the port.",
    () => traffic().receivedBytes,
  );
  value("counter", "sent_bytes_total", "Bytes sent from the port.", () => traffic().sentBytes);
}

function describeZones(
  { value, values, histogram }: Metrics,
  { ticks }: Meters,
  { zones, characters, tickRateHz }: MetricSources,
): void {
  value("gauge", "tick_rate_hertz", "Ticks a second that zones aim at.", () => tickRateHz);
  values("gauge", "zone_running", "Whether a zone runs: 1 or 0.", ["zone"], () =>
    zones.map((zone) => [{ zone }, characters(zone) === undefined ? 0 : 1]),
  );
  values("gauge", "zone_characters", "Characters in a zone.", ["zone"], () =>
    zones.map((zone) => [{ zone }, characters(zone) ?? 0]),
  );
  const read = (of: (zone: string) => DurationCounts) => () =>
    zones.map((zone) => ({ labels: { zone }, counts: of(zone) }));
  histogram(
    {
      help: "How long the ticks of a zone with characters took.",
      bounds: TICK_BUCKETS,
      read: read(ticks.took),
    },
    "zone_tick_duration_seconds",
  );
  histogram(
    {
      help: "How late the ticks of a zone with characters began.",
      bounds: TICK_BUCKETS,
      read: read(ticks.late),
    },
    "zone_tick_lateness_seconds",
  );
}

function describeStore(
  { value, values, histogram }: Metrics,
  { store }: Meters,
  { waitingRows }: MetricSources,
): void {
  histogram(
    {
      help: "How long operations of the database took.",
      bounds: CALL_BUCKETS,
      read: () =>
        store.read().map(({ operation, durations }) => ({
          labels: { operation },
          counts: durations,
        })),
    },
    "store_operation_duration_seconds",
  );
  values(
    "counter",
    "store_unavailable_total",
    "Operations that the database did not answer in time.",
    ["operation"],
    () => store.read().map(({ operation, unavailable }) => [{ operation }, unavailable]),
  );
  value("gauge", "save_rows_waiting", "Rows that wait to be written.", waitingRows);
}
