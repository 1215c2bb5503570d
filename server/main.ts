import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pino } from "pino";
import pretty from "pino-pretty";
import { collectDefaultMetrics, Registry } from "prom-client";
import { createCommand, readConfig } from "./config.ts";
import type { Config } from "./config.ts";
import { keepNewObjectsYoung } from "./garbage-collection.ts";
import { loadGame } from "./load-game.ts";
import { createLogDestination } from "./log-destination.ts";
import { createServer } from "./server.ts";
import { explainStartFailure } from "./start-failure.ts";
import { loadTracing } from "./tracing/load-tracing.ts";

/** So long after the players' warning a stop counts as failed. */
const STOP_DEADLINE_MS = 20_000;

const root = resolve(import.meta.dirname, "..");
const { version } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")) as {
  version: string;
};

async function main(): Promise<void> {
  keepNewObjectsYoung();
  const command = createCommand(version)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .parse();
  const config = readConfig(command.opts(), process.env);
  const logger = createLogger(config);
  const began = performance.now();
  const game = await loadGame(config.game);
  logger.info(
    {
      tookMs: Math.round(performance.now() - began),
      maps: game.world.maps.size,
      kinds: game.world.kinds.size,
    },
    `game "${game.game.title}" loaded`,
  );
  const server = createServer({
    config,
    game,
    logger,
    root,
    version: { server: version, commit: commit() },
    onDevAccounts: printDevAccounts,
    onDrained: () => stop("an admin's drain"),
    tracing: await loadTracing(process.env, { version, logger }),
    processMetrics: config.metricsPort === undefined ? undefined : createProcessMetrics(),
  });

  let stopping = false;
  const stop = (reason: string) => {
    if (stopping) return;
    stopping = true;
    logger.info({ reason }, "stopping");
    const deadlineMs = config.drainMs + STOP_DEADLINE_MS;
    setTimeout(() => {
      logger.error({}, `not stopped within ${deadlineMs} ms`);
      process.exit(1);
    }, deadlineMs).unref();
    server.close().then(
      () => {
        logger.info({}, "stopped");
        process.exit(0);
      },
      (error: unknown) => {
        logger.error({ err: error }, "stopped, but not everything could be closed");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  // On a terminal it says that the terminal is gone, and ends the process as it always did.
  if (config.tls && !process.stdout.isTTY) {
    process.on("SIGHUP", () => void server.reloadCertificate());
  }

  const started = await server.start().catch((error: unknown) => {
    if (!stopping) throw error;
  });
  // Stopped while it started: the signal's handler ends the process.
  if (!started) return;
  const { port, metricsPort } = started;
  const tookMs = Math.round(performance.now() - began);
  const scheme = config.tls ? "https" : "http";
  if (metricsPort !== undefined) {
    logger.info({ metricsPort }, `metrics: http://${config.metricsHost}:${metricsPort}/metrics`);
  }
  logger.info({ tookMs, port }, `ready: ${scheme}://localhost:${port}`);
}

/** What prom-client knows of a process: CPU, memory, the delay of its event loop, garbage collections. Belongs to the process, so it is never ended. */
function createProcessMetrics(): Registry {
  const register = new Registry();
  collectDefaultMetrics({ register });
  return register;
}

function createLogger({ logLevel, logFormat }: Config) {
  const text = logFormat === "text" || (logFormat === "" && process.stdout.isTTY);
  const destination = createLogDestination();
  if (!text) {
    const timestamp = pino.stdTimeFunctions.isoTime;
    return pino({ level: logLevel, base: null, timestamp }, destination);
  }
  const look = { ignore: "pid,hostname", translateTime: "HH:MM:ss.l", singleLine: true };
  return pino({ level: logLevel, base: null }, pretty({ ...look, destination }));
}

/** The commit that is checked out; `unknown` outside a repository. `REALMWIRE_COMMIT` tells it for an image without one. */
function commit(): string {
  const told = process.env["REALMWIRE_COMMIT"];
  if (told) return told;
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "unknown";
  }
}

function printDevAccounts(passwords: ReadonlyMap<string, string>): void {
  const rows = [...passwords].map(([name, password]) => `  ${name.padEnd(10)}${password}`);
  process.stdout.write(
    `\nReady-made accounts of this development world (shown only this once):\n${rows.join("\n")}\n\n`,
  );
}

main().catch((error: unknown) => {
  const { message, exitCode } = explainStartFailure(error);
  process.stderr.write(`realmwire: ${message}\n`);
  process.exit(exitCode);
});
