import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Registry } from "prom-client";
import { createAccounts } from "./account/accounts.ts";
import type { Accounts } from "./account/accounts.ts";
import { createLoginThrottle } from "./account/login-throttle.ts";
import { type Backups, createBackups } from "./backup/backups.ts";
import type { Bus } from "./bus/bus.ts";
import { createLocalBus } from "./bus/local-bus.ts";
import type { Config } from "./config.ts";
import type { GameDeps } from "./game.ts";
import { GameError } from "./load-game.ts";
import type { LoadedGame } from "./load-game.ts";
import type { Logger } from "./logger.ts";
import { createClientPackage } from "./release/client-package.ts";
import { ensureDefaultRelease } from "./release/default-release.ts";
import { createReleases } from "./release/releases.ts";
import { createLifecycle } from "./lifecycle.ts";
import { readAccess } from "./rpc/pipeline/access.ts";
import { createCallLog, observeWith } from "./rpc/pipeline/call-log.ts";
import { createCertificateSource } from "./rpc/port/certificate-source.ts";
import { createMeters, type Meters } from "./metrics/meters.ts";
import { createMetricsServer, type MetricsServer } from "./metrics/metrics-server.ts";
import { createMetricsRegistry } from "./metrics/registry.ts";
import { watchStore } from "./metrics/watched-store.ts";
import { createGateway, type Gateway } from "./rpc/gateway.ts";
import type { Players } from "./rpc/players/players.ts";
import type { CallsFactory } from "./rpc/transport/short-way.ts";
import type { Store } from "./store/store.ts";
import type { Tracing } from "./tracing/tracing.ts";
import { createZoneThreads } from "./threads/zone-threads.ts";
import { type ChatLog, createChatLog } from "./zone/chat-log.ts";
import { createCharacter, createStore } from "./world-parts.ts";
import { createSaver, type Saver } from "./zone/saver.ts";
import { createZoneHost } from "./zone/zone-host.ts";
import type { ZoneHost } from "./zone/zone-host.ts";

const MS_PER_DAY = 86_400_000;

/** Levels at which each call has a line in the log. */
const DETAILED_LEVELS: ReadonlySet<string> = new Set(["trace", "debug"]);

/** What a server is made of. */
export interface ServerOptions {
  readonly config: Config;
  readonly game: LoadedGame;
  readonly logger: Logger;
  /** The release and the commit that Version tells. */
  readonly version: { readonly server: string; readonly commit: string };
  /** The project's own folder, for the SDK that it offers as a client release. */
  readonly root: string;
  /** Other than the configured one, for several nodes in one process. */
  readonly bus?: Bus;
  /** Other than the configured one. */
  readonly store?: Store;
  /** An admin wanted the server to stop, and the time has come. Default: the server closes itself. */
  readonly onDrained?: () => void;
  /** Receives the passwords of the ready-made accounts, when they were just created. */
  readonly onDevAccounts?: (passwords: ReadonlyMap<string, string>) => void;
  /** Metrics of the process, told behind those of the server. */
  readonly processMetrics?: Registry | undefined;
  /** Traces of calls and of the store; ended with the server. */
  readonly tracing?: Tracing | undefined;
  /** What answers calls, other than the short way: both ways are tested to be the same to clients. */
  readonly answerCalls?: CallsFactory;
}

/** A running world. */
export interface Server {
  /** Starts every part, one after the other; a failure stops those that had started. The ports come back. */
  start(): Promise<{ readonly port: number; readonly metricsPort: number | undefined }>;
  /** Tells the players, takes them out of the world, saves everything and stops. */
  close(): Promise<void>;
  /** Reads the certificate's files now instead of when they are seen to change. Without TLS nothing happens. */
  reloadCertificate(): Promise<void>;
  /** For administration and tests in the same process. */
  readonly accounts: Accounts;
  readonly zones: ZoneHost;
}

/** Puts a server together: the only place that knows which implementations are used. Nothing runs before `start`. */
export function createServer(options: ServerOptions): Server {
  const { config } = options;
  const { game, world } = options.game;
  const now = Date.now;
  const meters =
    config.metricsPort === undefined
      ? undefined
      : createMeters({
          logger: options.logger,
          zones: [...world.maps.keys()].sort(),
          now: () => performance.now(),
        });
  const { logger } = meters ?? options;
  const bus = options.bus ?? createBus(logger);
  const plainStore = options.store ?? createStore({ ...config, types: world.types, logger });
  const store = [meters?.store.watch, options.tracing?.watchStore].reduce(
    (inner, watch) => (watch ? watchStore(inner, watch) : inner),
    plainStore,
  );
  const saver = createSaver({ store, logger });
  const chatLog = createChatLog({ store, logger });
  const accounts = createAccounts({
    store,
    bus,
    now,
    logger,
    sessionTtlMs: config.sessionDays * MS_PER_DAY,
    loginThrottle: createLoginThrottle({ perMinute: config.wrongPasswordsPerMinute }),
    wrongTokensPerMinute: config.wrongTokensPerMinute,
    game: {
      newCharacter: (name, accountId) =>
        createCharacter(options.game, { name, accountId, nowMs: now() }),
      isReserved: (name) => zones.hasThing(name),
      isInWorld: (name) => gateway.players.find(name) !== undefined,
    },
  });
  const releases = createReleases({ clientsDir: config.clients, store, bus, now, logger });
  const node = randomUUID();
  const { threads: count, game: folder } = config;
  const threads =
    count > 0
      ? createZoneThreads({ count, bus, logger, game: folder, node, tickTimes: meters?.ticks })
      : undefined;
  const zones = createZoneHost({
    world,
    store,
    bus,
    saver,
    chatLog,
    logger,
    node,
    places: threads,
    seed: config.seed,
    onStep: meters?.ticks.note,
    keepRecording: (zone, bytes) => void writeRecording({ config, logger }, zone, bytes),
  });
  const certificate = config.tls && createCertificateSource({ ...config.tls, logger, now });
  const gateway = createGateway({
    host: config.host,
    port: config.port,
    tls: certificate && { certificate, plaintext: config.plaintext },
    allowedOrigins: config.corsOrigins.includes("*") ? "*" : config.corsOrigins,
    trustedProxies: config.trustedProxies,
    maxConnections: config.connections,
    maxConnectionsPerAddress: config.connectionsPerAddress,
    brokenRequestsPerMinute: config.brokenRequestsPerMinute,
    lingerMs: config.lingerMs,
    drainMs: config.drainMs,
    version: options.version,
    game,
    types: world.types,
    store,
    saver,
    chatLog,
    accounts,
    releases,
    zones,
    backups: createWorldBackups(options, { store, saver, chatLog, now }),
    onDrained: options.onDrained ?? (() => void lifecycle.close()),
    gameServices: (players) => createGameServices(options.game, players),
    logger,
    // It stands in every message, and only its own character's cursors are compared with it.
    newKey: () => randomBytes(3).readUIntBE(0, 3).toString(36),
    now,
    answerCalls: options.answerCalls,
    watch: {
      onMethods: meters?.onMethods,
      observer: observeWith([
        ...(meters ? [meters.calls] : []),
        ...(DETAILED_LEVELS.has(config.logLevel) ? [createCallLog(logger)] : []),
      ]),
      onRefused: meters?.onRefused,
      views: meters?.views,
      wrapCalls: options.tracing?.watchPipeline,
    },
  });
  const metrics = meters && createMetrics(options, { meters, gateway, zones, saver });

  let listening = { port: config.port };
  let metricsPort: number | undefined;
  const lifecycle = createLifecycle(
    [
      // First, so that a certificate that cannot be used is told before anything is touched.
      ...(certificate
        ? [{ name: "certificate", start: certificate.start, close: certificate.close }]
        : []),
      ...(options.tracing ? [{ name: "traces", start() {}, close: options.tracing.close }] : []),
      { name: "bus", start: () => bus.start(), close: () => bus.close() },
      { name: "database", start: () => store.start(), close: () => store.close() },
      { name: "saver", start: () => saver.start(), close: () => saver.close() },
      { name: "chat log", start: () => chatLog.start(), close: () => chatLog.close() },
      {
        name: "accounts",
        start: () => startAccounts(options, accounts),
        close: () => accounts.close(),
      },
      {
        name: "client releases",
        start: () => startReleases(options, releases),
        close: () => releases.close(),
      },
      ...(threads ? [{ name: "zone threads", start: threads.start, close: threads.close }] : []),
      { name: "zones", start: () => startZones(zones, game.startZone), close: () => zones.close() },
      {
        name: "port",
        start: async () => (listening = await gateway.start()),
        close: () => gateway.close(),
      },
      // Last, so that it tells of nothing that is not there yet, and is there no more when the rest ends.
      ...(metrics
        ? [
            {
              name: "metrics",
              start: async () => (metricsPort = (await metrics.start()).port),
              close: () => metrics.close(),
            },
          ]
        : []),
    ],
    logger,
  );
  return {
    accounts,
    zones,
    async start() {
      await lifecycle.start();
      return { ...listening, metricsPort };
    },
    close: lifecycle.close,
    reloadCertificate: async () => certificate?.reload(),
  };
}

/** Joins what is counted with what can be asked, and offers it. */
function createMetrics(
  options: ServerOptions,
  parts: { meters: Meters; gateway: Gateway; zones: ZoneHost; saver: Saver },
): MetricsServer {
  const { config, version, game, processMetrics } = options;
  const { meters, gateway, zones, saver } = parts;
  const registry = createMetricsRegistry(meters, {
    build: { version: version.server, commit: version.commit, game: game.game.id },
    tickRateHz: game.world.tickRateHz,
    zones: zones.names,
    characters: (zone) => zones.running(zone)?.characterCount(),
    ready: () => gateway.ready,
    players: () => gateway.players.count,
    waitingRows: () => saver.size,
    traffic: () => gateway.traffic,
  });
  return createMetricsServer({
    host: config.metricsHost,
    port: config.metricsPort ?? 0,
    registries: processMetrics ? [registry, processMetrics] : [registry],
    logger: meters.logger,
  });
}

/** Backups of a world, for which what waits for the store is written first. */
function createWorldBackups(
  { version, game }: ServerOptions,
  parts: { store: Store; saver: Saver; chatLog: ChatLog; now: () => number },
): Backups {
  const { store, saver, chatLog, now } = parts;
  const settle = () => Promise.all([saver.settled(), chatLog.flush()]);
  return createBackups({
    ...{ store, settle, now },
    about: { server: version.server, game: game.game.id },
  });
}

function createBus(logger: Logger): Bus {
  return createLocalBus({
    onError: (err, subject) => logger.error({ err, subject }, "a handler on the bus failed"),
  });
}

/** The game's own calls. That they carry their rule is checked here, so that the error names the game. */
function createGameServices({ game }: LoadedGame, players: Pick<Players, "find">) {
  const whereIs: GameDeps["whereIs"] = (name) => {
    const player = players.find(name);
    return player && { zone: player.zoneName, online: player.online };
  };
  const services = game.services?.({ whereIs }) ?? [];
  try {
    readAccess(services.map(({ desc }) => desc));
  } catch (error) {
    throw new GameError(`game "${game.id}": ${(error as Error).message}`, { cause: error });
  }
  return services;
}

async function startAccounts(
  { config, onDevAccounts }: ServerOptions,
  accounts: Accounts,
): Promise<void> {
  await accounts.start();
  if (!config.production) {
    const password = config.devPassword;
    const passwords = await accounts.ensureDevAccounts(password === "" ? {} : { password });
    if (passwords.size > 0) onDevAccounts?.(passwords);
  }
  await accounts.ensureRoles({ admins: config.admins, builders: config.builders });
}

async function startReleases(
  options: ServerOptions,
  releases: ReturnType<typeof createReleases>,
): Promise<void> {
  const { config, root, version, game } = options;
  await releases.start();
  // A game may keep what is generated from its protos elsewhere; then its clients bring that themselves.
  const packages = game.game.proto.components.map(({ file }) => file.name.split("/")[0] ?? "");
  const generated = [...new Set(["realmwire", "buf", ...packages])]
    .map((name) => ({ from: resolve(root, "gen/ts", name), to: `gen/ts/${name}` }))
    .filter(({ from }) => existsSync(from));
  const clients = ["clients/ts", "clients/updater"].map((to) => ({ from: resolve(root, to), to }));
  const packageJson = await createClientPackage({ root, version: version.server });
  await ensureDefaultRelease({
    clientsDir: config.clients,
    sources: [...clients, ...generated],
    texts: { "package.json": packageJson },
    version: version.server,
    releases,
  });
}

/** The zone of newcomers starts with the server, so that a map that cannot run is found now. */
async function startZones(zones: ZoneHost, startZone: string): Promise<void> {
  zones.start();
  await zones.get(startZone);
}

async function writeRecording(
  { config, logger }: Pick<ServerOptions, "config" | "logger">,
  zone: string,
  bytes: Uint8Array,
): Promise<void> {
  const folder = join(config.data, "recordings");
  const file = join(folder, `${zone}-${Date.now()}.binpb`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(file, bytes);
    logger.error({ zone, file }, "what led to the failure was recorded");
  } catch (error) {
    logger.error({ err: error, zone, file }, "the recording could not be written");
  }
}
