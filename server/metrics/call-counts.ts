import { Code } from "@connectrpc/connect";
import { CALL_BUCKETS, createDurations } from "./durations.ts";
import type { DurationCounts } from "./durations.ts";

/** A call of a service. */
export interface CountedMethod {
  /** Its full name, such as `realmwire.v1.WorldService/Move`. */
  readonly name: string;
  readonly isUnary: boolean;
}

/** What was counted of one call. */
export interface MethodCounts {
  readonly name: string;
  /** Calls that ended, by the name of their code; only codes that came up, and `ok`. */
  readonly ended: ReadonlyMap<string, number>;
  readonly inProgress: number;
  /** Of unary calls only: a stream lasts as long as its player wants. */
  readonly durations: DurationCounts | undefined;
}

/** Counts calls. What it is told costs additions to numbers in arrays, nothing is allocated. */
export interface CallCounts {
  onBegin(name: string): void;
  onEnd(name: string, code: Code | undefined, durationMs: number): void;
  read(): MethodCounts[];
}

/** `ok`, then the codes by their numbers, of which there is no 0. */
const CODE_NAMES: readonly string[] = [
  "ok",
  ...Object.values(Code)
    .filter((code) => typeof code === "number")
    .sort((a, b) => a - b)
    .map((code) => snakeCase(Code[code])),
];

/** Counts of these calls; others are passed over. */
export function createCallCounts(methods: readonly CountedMethod[]): CallCounts {
  const rows = new Map(methods.map(({ name }, row) => [name, row]));
  const begun = new Float64Array(methods.length);
  const ended = new Float64Array(methods.length * CODE_NAMES.length);
  const durations = createDurations(methods.length, CALL_BUCKETS);
  const endedOf = (row: number) =>
    ended.subarray(row * CODE_NAMES.length, (row + 1) * CODE_NAMES.length);
  return {
    onBegin(name) {
      const row = rows.get(name);
      if (row !== undefined) begun[row] = (begun[row] as number) + 1;
    },
    onEnd(name, code, durationMs) {
      const row = rows.get(name);
      if (row === undefined) return;
      const at = row * CODE_NAMES.length + (code ?? 0);
      ended[at] = (ended[at] as number) + 1;
      durations.note(row, durationMs / 1000);
    },
    read: () =>
      methods.map(({ name, isUnary }, row) => {
        const counts = [...endedOf(row)];
        const total = counts.reduce((sum, count) => sum + count, 0);
        return {
          name,
          ended: new Map(
            CODE_NAMES.flatMap((code, i) =>
              i === 0 || counts[i] ? [[code, counts[i] ?? 0] as const] : [],
            ),
          ),
          inProgress: (begun[row] ?? 0) - total,
          durations: isUnary ? durations.read(row) : undefined,
        };
      }),
  };
}

/** `ResourceExhausted` becomes `resource_exhausted`, as the protocols write it. */
function snakeCase(name: string): string {
  return name.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}
