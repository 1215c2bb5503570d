import type { Neighbours } from "../world/scenario.ts";

/** How the generator speaks to the server. */
export type ProtocolName = "connect" | "grpc" | "grpc-input" | "ws" | "colyseus";

/** A stretch of time in which something is measured. */
export interface Phase {
  readonly name: string;
  /** Moves that each player sends a second. 0: all stroll slowly by themselves. */
  readonly movesPerSecond: number;
  readonly seconds: number;
}

/** What the generator is to do: the first message to its process. */
export interface Order {
  readonly kind: "world" | "calls";
  readonly protocol: ProtocolName;
  readonly pid: number;
  /** The server's folder, where it writes down what its heap holds. */
  readonly dataDir: string;
  readonly port: number;
  readonly credentials: readonly string[];
  readonly players: number;
  readonly neighbours: Neighbours;
  /** Whether everybody sees everybody, since the candidate does not filter. */
  readonly seesAll: boolean;
  /** Whether the server only sends back what came, so that its answers say nothing. */
  readonly echoes: boolean;
  /** How long the server is warmed up, so that its code is compiled. */
  readonly warmUpSeconds: number;
  readonly phases: readonly Phase[];
}

/** What was measured in a phase. Times are in milliseconds unless the name says otherwise. */
export interface PhaseResult {
  readonly name: string;
  readonly seconds: number;
  /** Server CPU, all threads, for each update that a player got: it gets one each tick. */
  readonly cpuMicrosPerPlayerTick: number;
  /** Server CPU as a part of one core, all threads. */
  readonly serverCpu: number;
  /** The part of `serverCpu` that other threads than the main one used. */
  readonly otherThreadsCpu: number;
  readonly generatorCpu: number;
  readonly updatesPerPlayerSecond: number;
  /** All bytes that players were sent: updates, answers and what the protocols put around them. */
  readonly bytesPerPlayerSecond: number;
  /** Those of the updates alone. */
  readonly updateBytesPerPlayerSecond: number;
  readonly intervalP50: number;
  readonly intervalP99: number;
  readonly moves: number;
  /** Moves that were due while the one before had not been answered yet. */
  readonly movesLate: number;
  readonly moveP50: number;
  readonly moveP99: number;
  readonly seenP50: number;
  readonly seenP99: number;
  readonly seenCount: number;
  /** Server CPU for each Move; when calls are measured alone, beyond what the idle server uses. */
  readonly cpuMicrosPerCall: number;
}

/** What came of an order. */
export interface Outcome {
  readonly phases: readonly PhaseResult[];
  /** Players that were in view on average when it began, by the sample that was decoded. */
  readonly meanSeen: number;
  /** And at the end. */
  readonly meanSeenAtEnd: number;
  /** Players whose joins were verified. */
  readonly verified: number;
  /** Bytes of the server's resident memory for each player, beyond the idle server. */
  readonly residentPerPlayer: number;
  /** Bytes that its heap holds for each player, beyond the idle server. */
  readonly heapPerPlayer: number;
}

/** What the generator's process says last. */
export type Report =
  | { readonly kind: "done"; readonly outcome: Outcome }
  | { readonly kind: "failed"; readonly reason: string };
