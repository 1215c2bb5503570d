import type { ProtocolName } from "./load/order.ts";

/** Something whose cost is measured. */
export interface Candidate {
  readonly name: string;
  /** What the report calls it. */
  readonly title: string;
  /** The file that its process runs, relative to this folder. */
  readonly entry: string;
  readonly protocol: ProtocolName;
  /** Whether it serves the world, or just echoes calls. */
  readonly world: boolean;
  /** Whether single calls are measured too. */
  readonly calls: boolean;
  /** Whether everybody sees everybody, whatever the radius. */
  readonly seesAll: boolean;
  /** Whether its data is prepared by a run of its own, since enrolling many players takes a while. */
  readonly prepares?: boolean;
  /** The folder below `peers` whose packages it needs. */
  readonly packages?: string;
}

const streaming = { world: true, calls: false, seesAll: false } as const;

/** All candidates, in the order of the tables. */
export const CANDIDATES: readonly Candidate[] = [
  {
    ...streaming,
    name: "realmwire",
    title: "Realmwire, Connect over HTTP/1.1",
    entry: "servers/realmwire.ts",
    protocol: "connect",
    calls: true,
    prepares: true,
  },
  {
    ...streaming,
    name: "realmwire-h2c",
    title: "Realmwire, gRPC over h2c, Moves by Input",
    entry: "servers/realmwire.ts",
    protocol: "grpc-input",
    calls: true,
    prepares: true,
  },
  {
    ...streaming,
    name: "realmwire-h2c-unary",
    title: "Realmwire, gRPC over h2c, unary Moves",
    entry: "servers/realmwire.ts",
    protocol: "grpc",
    calls: true,
    prepares: true,
  },
  {
    ...streaming,
    name: "realmwire-threads",
    title: "Realmwire with a thread for the zone, Connect over HTTP/1.1",
    entry: "servers/realmwire.ts",
    protocol: "connect",
    calls: true,
    prepares: true,
  },
  {
    ...streaming,
    name: "ws",
    title: "plain WebSockets (`ws`), same encoding",
    entry: "peers/ws/server.ts",
    protocol: "ws",
    packages: "ws",
  },
  {
    ...streaming,
    name: "colyseus",
    title: "Colyseus 0.18 with StateView",
    entry: "peers/colyseus/server.ts",
    protocol: "colyseus",
    packages: "colyseus",
  },
  {
    ...streaming,
    name: "colyseus-all",
    title: "Colyseus 0.18, nobody filtered",
    entry: "peers/colyseus/server.ts",
    protocol: "colyseus",
    packages: "colyseus",
    seesAll: true,
  },
  {
    ...streaming,
    name: "grpc-js",
    title: "grpc-js",
    entry: "servers/grpc-js.ts",
    protocol: "grpc",
    calls: true,
  },
  {
    ...streaming,
    name: "connect-node",
    title: "connect-node, Connect over HTTP/1.1",
    entry: "servers/connect-node.ts",
    protocol: "connect",
    calls: true,
  },
  {
    ...streaming,
    name: "connect-node-h2c",
    title: "connect-node, gRPC over h2c",
    entry: "servers/connect-node.ts",
    protocol: "grpc",
    calls: true,
  },
  {
    name: "node-http",
    title: "`node:http` echo",
    entry: "servers/echo.ts",
    protocol: "connect",
    world: false,
    calls: true,
    seesAll: false,
  },
  {
    name: "node-http2",
    title: "`node:http2` echo",
    entry: "servers/echo.ts",
    protocol: "grpc",
    world: false,
    calls: true,
    seesAll: false,
  },
];

/** The candidates of these names. Throws when there is none of a name. */
export function pickCandidates(names: readonly string[]): Candidate[] {
  return names.map((name) => {
    const candidate = CANDIDATES.find((item) => item.name === name);
    if (candidate) return candidate;
    const known = CANDIDATES.map((item) => item.name).join(", ");
    throw new Error(`there is no candidate "${name}"; there are ${known}`);
  });
}
