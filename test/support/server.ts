import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { DescService } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import type { Client, Interceptor, Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { createCommand, readConfig } from "../../server/config.ts";
import { loadGame } from "../../server/load-game.ts";
import type { LoadedGame } from "../../server/load-game.ts";
import type { Logger } from "../../server/logger.ts";
import { createServer } from "../../server/server.ts";
import type { Server, ServerOptions } from "../../server/server.ts";
import { type CertificateFolder, trustCertificate } from "./certificate.ts";
import { layEmptyDatabase } from "./empty-database.ts";

/** The project's folder. */
export const root = resolve(import.meta.dirname, "../..");
/** The password of the ready-made accounts of test servers. */
export const DEV_PASSWORD = "correct-horse";

/** A real server on embedded parts, in this process, on a free port. */
export interface TestServer {
  readonly server: Server;
  readonly port: number;
  /** Where metrics are read; undefined unless `metrics-port` was asked for. */
  readonly metricsPort: number | undefined;
  readonly baseUrl: string;
  readonly dataDir: string;
  /** With TLS: the file of its certificate, which this process trusts. */
  readonly certFile: string | undefined;
  /** What was logged at `warn` and above. */
  readonly troubles: readonly { readonly message: string; readonly fields: object }[];
  /** Stops it; the data stays. */
  stop(): Promise<void>;
  /** Stops it and deletes its data. */
  dispose(): Promise<void>;
}

/** Starts a server. With the `dataDir` of an earlier one it goes on from there. */
export async function startTestServer(
  options: {
    dataDir?: string;
    args?: Readonly<Record<string, string>>;
    env?: NodeJS.ProcessEnv;
    game?: LoadedGame;
    parts?: Pick<ServerOptions, "bus" | "store" | "answerCalls">;
    /** Speaks TLS with this, and nothing else. */
    certificate?: CertificateFolder;
  } = {},
): Promise<TestServer> {
  const dataDir = options.dataDir ?? (await createDataFolder());
  const { certificate } = options;
  if (certificate) trustCertificate(certificate.cert);
  const command = createCommand("0.0.0-test");
  const args = {
    host: "127.0.0.1",
    port: "0",
    data: dataDir,
    "dev-password": DEV_PASSWORD,
    "drain-ms": "0",
    game: resolve(root, "games/meadow"),
    ...(certificate && { "tls-cert": certificate.certFile, "tls-key": certificate.keyFile }),
    ...options.args,
  };
  const argv = Object.entries(args).flatMap(([name, value]) => [`--${name}`, value]);
  const config = readConfig(command.parse(argv, { from: "user" }).opts(), options.env ?? {});
  const troubles: { message: string; fields: object }[] = [];
  const note = (fields: object, message: string) => void troubles.push({ fields, message });
  const logger: Logger = { debug: () => {}, info: () => {}, warn: note, error: note };
  const game = options.game ?? (await loadGame(config.game));
  const server = createServer({
    config,
    game,
    logger,
    root,
    version: { server: "0.0.0-test", commit: "test" },
    ...options.parts,
  });
  const { port, metricsPort } = await server.start();
  return {
    server,
    port,
    metricsPort,
    baseUrl: `${certificate ? "https" : "http"}://127.0.0.1:${port}`,
    dataDir,
    certFile: certificate?.certFile,
    troubles,
    stop: () => server.close(),
    async dispose() {
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A data folder with an empty database. */
async function createDataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "realmwire-"));
  await layEmptyDatabase(join(folder, "database"));
  return folder;
}

/** What was logged at `warn` and above, but that this machine is too busy for the world's own speed. */
export function faultsOf({ troubles }: TestServer): TestServer["troubles"] {
  return troubles.filter(({ message }) => message !== "the zone's time runs at another speed");
}

/** The protocols of the one port. */
export const PROTOCOLS = ["connect", "grpc", "grpc-web"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** A transport of connect-node. gRPC needs HTTP/2; the others use HTTP/1.1 unless told otherwise. */
export function createTransport(
  baseUrl: string,
  protocol: Protocol,
  token = "",
  httpVersion: "1.1" | "2" = "1.1",
  others: readonly Interceptor[] = [],
): Transport {
  const interceptors = token === "" ? [...others] : [bearer(token), ...others];
  switch (protocol) {
    case "connect":
      return createConnectTransport({ baseUrl, httpVersion, interceptors });
    case "grpc":
      return createGrpcTransport({ baseUrl, interceptors });
    case "grpc-web":
      return createGrpcWebTransport({ baseUrl, httpVersion, interceptors });
  }
}

function bearer(token: string): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
}

/** A generated client of a service. */
export function clientFor<S extends DescService>(
  service: S,
  baseUrl: string,
  token = "",
  protocol: Protocol = "connect",
): Client<S> {
  return createClient(service, createTransport(baseUrl, protocol, token));
}
