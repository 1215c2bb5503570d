import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Registry } from "prom-client";
import type { Logger } from "../logger.ts";

/** The path of the metrics. */
export const METRICS_PATH = "/metrics";
/** Connections that may be open at once: more than scrapers need. */
export const MAX_SCRAPERS = 32;

/** Answers those who collect metrics, at an address of its own. */
export interface MetricsServer {
  /** Listens. The port comes back; rejects when it is taken. */
  start(): Promise<{ readonly port: number }>;
  close(): Promise<void>;
}

/** What is answered, and where. */
export interface MetricsServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Their metrics are told one after the other. */
  readonly registries: readonly Registry[];
  readonly logger: Logger;
}

/** A server that does not listen yet. It answers `GET /metrics` in Prometheus' text format, and nothing else. */
export function createMetricsServer(options: MetricsServerOptions): MetricsServer {
  const { host, port, registries, logger } = options;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path] = (request.url ?? "").split("?");
    if (path !== METRICS_PATH) return send(response, 404, `Metrics are at ${METRICS_PATH}.\n`);
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      return send(response, 405, "Metrics are read with GET.\n");
    }
    const texts = await Promise.all(registries.map((registry) => registry.metrics()));
    send(response, 200, texts.join("\n"), Registry.PROMETHEUS_CONTENT_TYPE);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      logger.error({ err: error }, "metrics could not be read");
      send(response, 500, "internal error\n");
    });
  });
  server.maxConnections = MAX_SCRAPERS;

  return {
    start: () =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host, port }, () => {
          server.off("error", reject);
          server.on("error", (error) =>
            logger.warn({ err: error }, "metrics: a connection failed"),
          );
          resolve({ port: (server.address() as AddressInfo).port });
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, status: number, body: string, type?: string): void {
  response.statusCode = status;
  response.setHeader("content-type", type ?? "text/plain; charset=utf-8");
  response.setHeader("cache-control", "no-store");
  response.setHeader("x-content-type-options", "nosniff");
  response.end(body);
}
