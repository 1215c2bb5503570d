import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { create } from "@bufbuild/protobuf";
import { CharacterRecordSchema } from "../gen/ts/realmwire/internal/v1/record_pb.ts";
import { anyPack, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { BodySchema } from "../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorReason } from "../gen/ts/realmwire/v1/error_pb.ts";
import { createAccounts } from "./account/accounts.ts";
import type { Accounts } from "./account/accounts.ts";
import type { Bus } from "./bus/bus.ts";
import { createLocalBus } from "./bus/local-bus.ts";
import type { Config } from "./config.ts";
import { DomainError } from "./errors.ts";
import type { GameDeps } from "./game.ts";
import { GameError } from "./load-game.ts";
import type { LoadedGame } from "./load-game.ts";
import type { Logger } from "./logger.ts";
import { ensureDefaultRelease } from "./release/default-release.ts";
import { createReleases } from "./release/releases.ts";
import { readAccess } from "./rpc/access.ts";
import { createAccountService } from "./rpc/account-service.ts";
import { createAnswerFlags } from "./rpc/answer-flags.ts";
import { createTargets } from "./rpc/attribute-targets.ts";
import { createAttributes } from "./rpc/attributes.ts";
import { createChatService } from "./rpc/chat-service.ts";
import { createConnectHandler } from "./rpc/connect-adapter.ts";
import { gatherTypes } from "./rpc/descriptors.ts";
import type { Flag } from "../gen/ts/realmwire/v1/flag_pb.ts";
import { clientFlag, drainFlag } from "./rpc/flags.ts";
import { createFront } from "./rpc/front.ts";
import { createHealth } from "./rpc/health.ts";
import { createPipeline } from "./rpc/pipeline.ts";
import { createPlayers } from "./rpc/players.ts";
import { createPort } from "./rpc/port.ts";
import { createReflection } from "./rpc/reflection.ts";
import { createReleaseService } from "./rpc/release-service.ts";
import { createUpgrade } from "./rpc/upgrade.ts";
import { createWorldService } from "./rpc/world-service.ts";
import { createZoneService } from "./rpc/zone-service.ts";
import { createPgliteStore } from "./store/pglite-store.ts";
import { createPostgresStore } from "./store/postgres-store.ts";
import type { Store } from "./store/store.ts";
import { createTurns } from "./turns.ts";
import { createChatLog } from "./zone/chat-log.ts";
import { createSaver } from "./zone/saver.ts";
import { createZoneHost } from "./zone/zone-host.ts";
import type { ZoneHost } from "./zone/zone-host.ts";

/** How long `close` waits for open calls after the players were told. */
const CLOSE_TIMEOUT_MS = 5_000;
const MS_PER_DAY = 86_400_000;

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
  /** Receives the passwords of the ready-made accounts, when they were just created. */
  readonly onDevAccounts?: (passwords: ReadonlyMap<string, string>) => void;
}

/** A running world. */
export interface Server {
  /** Starts every part, one after the other; a failure stops those that had started. The port comes back. */
  start(): Promise<{ readonly port: number }>;
  /** Tells the players, takes them out of the world, saves everything and stops. */
  close(): Promise<void>;
  /** For administration and tests in the same process. */
  readonly accounts: Accounts;
  readonly zones: ZoneHost;
}

interface Part {
  readonly name: string;
  start(): unknown;
  close(): unknown;
}

/** Puts a server together: the only place that knows which implementations are used. Nothing runs before `start`. */
export function createServer(options: ServerOptions): Server {
  const { config, logger, game: loaded } = options;
  const { game, world } = loaded;
  const now = Date.now;
  const node = randomUUID();
  const bus =
    options.bus ??
    createLocalBus({
      onError: (err, subject) => logger.error({ err, subject }, "a handler on the bus failed"),
    });
  const store = options.store ?? createStore(options);
  const saver = createSaver({ store, logger });
  const chatLog = createChatLog({ store, logger });
  const accounts = createAccounts({
    store,
    bus,
    now,
    logger,
    sessionTtlMs: config.sessionDays * MS_PER_DAY,
    game: {
      newCharacter: (name, accountId) => newCharacter(options, name, accountId, now()),
      isInWorld: (name) => players.find(name) !== undefined,
    },
  });
  const releases = createReleases({ clientsDir: config.clients, store, bus, now, logger });
  const keepRecording = (zone: string, bytes: Uint8Array) =>
    void writeRecording(options, zone, bytes);
  const zones = createZoneHost({
    world,
    store,
    bus,
    saver,
    chatLog,
    logger,
    node,
    seed: config.seed,
    keepRecording,
  });
  const answerFlags = createAnswerFlags();
  const turns = createTurns<number>();
  const players = createPlayers({
    store,
    saver,
    turns,
    zones,
    answerFlags,
    startZone: game.startZone,
    viewRadius: game.viewRadius,
    lingerMs: config.lingerMs,
    logger,
    newKey: () => randomBytes(5).readUIntBE(0, 5).toString(36),
  });
  const presence = {
    online: (name: string) => players.find(name)?.online ?? false,
    zone: (name: string) => players.find(name)?.zoneName,
  };
  const { types } = world;
  const targets = createTargets({ types, players, store, saver });
  const attributes = createAttributes({
    types,
    targets,
    players,
    store,
    turns,
    viewRadius: game.viewRadius,
  });
  const version = { ...options.version, game: game.id };
  const upgrade = createUpgrade({ releases, logger });
  const services = [
    createWorldService({
      version,
      accounts,
      presence,
      players,
      attributes,
      zones,
      releases,
      upgrade,
      answerFlags,
      now,
    }),
    createAccountService({ accounts, presence }),
    createZoneService({ zones, players, store }),
    createChatService({ players, store, chatLog, now }),
    createReleaseService({ releases }),
    ...createGameServices(loaded, (name) => {
      const player = players.find(name);
      return player && { zone: player.zoneName, online: player.online };
    }),
  ];
  const descriptors = services.map(({ desc }) => desc);
  const { files, registry } = gatherTypes(
    descriptors,
    world.types.types.map(({ schema }) => schema),
  );
  const pipeline = createPipeline({ authenticator: accounts, services, registry, logger });
  const health = createHealth({ services: descriptors });
  const infrastructure = [
    health.service,
    ...createReflection({ services: [...descriptors, health.service.desc], files }),
  ];
  const stopping = new AbortController();
  const calls = createConnectHandler({
    pipeline,
    services,
    infrastructure,
    registry,
    logger,
    shutdownSignal: stopping.signal,
  });
  let ready = false;
  const allowedOrigins = config.corsOrigins.includes("*") ? "*" : config.corsOrigins;
  const front = createFront({ game: game.title, calls, ready: () => ready, allowedOrigins });
  const port = createPort({ host: config.host, port: config.port, handler: front, logger });

  function raiseForAll(flag: Flag): void {
    answerFlags.putForAll(flag);
    players.putFlagOnStreams(flag);
  }

  function wire(): void {
    accounts.onSessionEnded(players.onSessionEnded);
    accounts.onCharacterChanged(players.onCharacterChanged);
    releases.onPublished((release) => raiseForAll(clientFlag(release)));
  }

  /** Tells everybody, takes the players out of the world, ends what is still open, and closes the port. */
  async function drain(): Promise<void> {
    ready = false;
    health.setServing(false);
    const stopsInMs = config.drainMs;
    raiseForAll(drainFlag(stopsInMs, "the server stops"));
    if (players.count > 0) await new Promise((resolve) => setTimeout(resolve, stopsInMs));
    await players.close(draining());
    stopping.abort(draining());
    await port.close({ timeoutMs: CLOSE_TIMEOUT_MS });
  }

  let listening = { port: config.port };
  const parts: Part[] = [
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
    { name: "zones", start: () => startZones(zones, game.startZone), close: () => zones.close() },
    {
      name: "players",
      start: () => (wire(), players.start()),
      close: () => players.close(draining()),
    },
    { name: "calls", start: () => pipeline.start(), close: () => {} },
    {
      name: "port",
      start: async () => {
        listening = await port.start();
        ready = true;
        health.setServing(true);
      },
      close: drain,
    },
  ];
  const started: Part[] = [];
  let starting: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | undefined;

  /** Begins the parts one after the other. What a failure leaves half begun is ended too. */
  async function begin(): Promise<{ readonly port: number }> {
    for (const part of parts) {
      if (closing) throw new Error("the server was stopped while it started");
      const began = performance.now();
      started.push(part);
      try {
        await part.start();
      } catch (error) {
        await stop().catch(() => {});
        throw error;
      }
      logger.info({ tookMs: Math.round(performance.now() - began) }, `${part.name} started`);
    }
    return listening;
  }

  async function stop(): Promise<void> {
    const failures: unknown[] = [];
    for (const part of started.splice(0).reverse()) {
      const began = performance.now();
      try {
        await part.close();
      } catch (error) {
        failures.push(error);
        logger.error({ err: error, part: part.name }, "could not be closed");
      }
      logger.debug({ part: part.name, tookMs: Math.round(performance.now() - began) }, "closed");
    }
    if (failures.length > 0) throw new AggregateError(failures, "some parts could not be closed");
  }

  return {
    accounts,
    zones,
    start() {
      const begun = begin();
      starting = begun.catch(() => {});
      return begun;
    },
    close: () => (closing ??= starting.then(stop)),
  };
}

/** The game's own calls. That they carry their rule is checked here, so that the error names the game. */
function createGameServices({ game }: LoadedGame, whereIs: GameDeps["whereIs"]) {
  const services = game.services?.({ whereIs }) ?? [];
  try {
    readAccess(services.map(({ desc }) => desc));
  } catch (error) {
    throw new GameError(`game "${game.id}": ${(error as Error).message}`, { cause: error });
  }
  return services;
}

function draining(): DomainError {
  return new DomainError(ErrorReason.DRAINING, "the server is stopping", { retryDelayMs: 5_000 });
}

function createStore({ config, game, logger }: ServerOptions): Store {
  const { registry } = game.world.types;
  const common = { registry, logger, timeoutMs: config.storeTimeoutMs };
  if (config.databaseUrl !== "") return createPostgresStore({ ...common, url: config.databaseUrl });
  return createPgliteStore({ ...common, dataDir: join(config.data, "database") });
}

function newCharacter({ game }: ServerOptions, name: string, accountId: number, nowMs: number) {
  const { startZone, character } = game.game;
  const body = create(BodySchema, character.body);
  const components = [anyPack(BodySchema, body)];
  for (const message of character.components) {
    const type = game.world.types.byName(message.$typeName);
    if (type) components.push(anyPack(type.schema, message));
  }
  const createdAt = timestampFromMs(nowMs);
  return create(CharacterRecordSchema, { accountId, name, zone: startZone, components, createdAt });
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
  const generated = ["realmwire", "buf", game.game.id].map((name) => ({
    from: resolve(root, "gen/ts", name),
    to: `gen/ts/${name}`,
  }));
  const sources = [{ from: resolve(root, "clients/ts"), to: "clients/ts" }, ...generated];
  await ensureDefaultRelease({
    clientsDir: config.clients,
    sources,
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
  { config, logger }: ServerOptions,
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
