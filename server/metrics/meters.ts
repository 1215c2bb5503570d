import type { DescMethod } from "@bufbuild/protobuf";
import type { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { Logger } from "../logger.ts";
import { type CallCounts, createCallCounts } from "./call-counts.ts";
import { countLines, type LineCounts } from "./counted-logger.ts";
import { createOperationMeter, type OperationMeter } from "./operation-counts.ts";
import { createNodeTickTimes, type NodeTickTimes } from "./tick-times.ts";

/** All that a server counts while it runs: plain numbers, which cost nothing to read before somebody asks. */
export interface Meters {
  /** Writes where the given one does, and counts. */
  readonly logger: Logger;
  readonly lines: LineCounts;
  readonly calls: CallCounts;
  /** Says what can be called, before the first call. */
  onMethods(methods: readonly DescMethod[]): void;
  onRefused(reason: ErrorReason): void;
  /** Refused calls by their reason. */
  readonly refused: ReadonlyMap<number, number>;
  readonly views: { resynchronised: number; droppedEvents: number };
  readonly store: OperationMeter;
  readonly ticks: NodeTickTimes;
}

/** Nothing counted yet. `now` is a clock that only goes forward, in milliseconds. */
export function createMeters(options: {
  logger: Logger;
  zones: readonly string[];
  now: () => number;
}): Meters {
  const { logger, lines } = countLines(options.logger);
  const refused = new Map<number, number>();
  let calls = createCallCounts([]);
  return {
    logger,
    lines,
    calls: {
      onBegin: (name) => calls.onBegin(name),
      onEnd: (name, code, durationMs) => calls.onEnd(name, code, durationMs),
      read: () => calls.read(),
    },
    onMethods(methods) {
      calls = createCallCounts(
        methods.map(({ parent, name, methodKind }) => ({
          name: `${parent.typeName}/${name}`,
          isUnary: methodKind === "unary",
        })),
      );
    },
    onRefused: (reason) => void refused.set(reason, (refused.get(reason) ?? 0) + 1),
    refused,
    views: { resynchronised: 0, droppedEvents: 0 },
    store: createOperationMeter(options.now),
    ticks: createNodeTickTimes(options.zones),
  };
}
