import type { BlockList } from "node:net";
import type { DescMethod } from "@bufbuild/protobuf";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { Flag } from "../../gen/ts/realmwire/v1/flag_pb.ts";
import type { Accounts } from "../account/accounts.ts";
import { isListed } from "../addresses.ts";
import type { Backups } from "../backup/backups.ts";
import { DomainError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Releases } from "../release/releases.ts";
import type { ComponentTypes } from "../sim/components.ts";
import type { Store } from "../store/store.ts";
import { createTurns } from "../turns.ts";
import type { ChatLog } from "../zone/chat-log.ts";
import type { Saver } from "../zone/saver.ts";
import type { ZoneHost } from "../zone/zone-host.ts";
import { createAccountService } from "./services/account-service.ts";
import { createAdminService } from "./services/admin-service.ts";
import { createAnnounce } from "./services/announce.ts";
import { createAnswerFlags } from "./players/answer-flags.ts";
import { createTargets } from "./services/attribute-targets.ts";
import { createAttributes } from "./services/attributes.ts";
import { closeBehind, createRequestJudge } from "./transport/broken-requests.ts";
import { createAudit } from "./services/audit.ts";
import type { CallObserver } from "./pipeline/call-observer.ts";
import { createChatService } from "./services/chat-service.ts";
import { createConnectHandler } from "./transport/connect-adapter.ts";
import { tooManyConnections } from "./port/connection-counts.ts";
import type { AllowedOrigins } from "./cors.ts";
import { gatherTypes } from "./services/descriptors.ts";
import { createDrain, type Drain } from "./drain.ts";
import { clientFlag, drainFlag, mapFlag } from "./players/flags.ts";
import { createDirectFront, createFront } from "./front.ts";
import { createHealth } from "./services/health.ts";
import { createPipeline, type Pipeline } from "./pipeline/pipeline.ts";
import { createPlayers } from "./players/players.ts";
import type { Players } from "./players/players.ts";
import { createPort, type PortTls } from "./port/port.ts";
import type { ViewCounts } from "./players/player-streams.ts";
import { createReflection } from "./services/reflection.ts";
import { createRefusal } from "./transport/refusal.ts";
import { createReleaseService } from "./services/release-service.ts";
import type { ServiceDefinition } from "./service.ts";
import { type CallsFactory, createShortWay } from "./transport/short-way.ts";
import type { TrafficCounts } from "./port/traffic.ts";
import { createUpgrade } from "./services/upgrade.ts";
import { createWorldEntry } from "./players/world-entry.ts";
import { createWorldService } from "./services/world-service.ts";
import { createZoneService } from "./services/zone-service.ts";

/** How long the port waits for open calls after the players were told. */
const CLOSE_TIMEOUT_MS = 5_000;

/** How often the store is asked whether it answers, for `/readyz`: without it nobody can log in. */
const PING_INTERVAL_MS = 2_000;

/** What the gateway is made of. */
export interface GatewayOptions {
  readonly host: string;
  readonly port: number;
  /** TLS of the port. Undefined: none. */
  readonly tls: PortTls | undefined;
  readonly allowedOrigins: AllowedOrigins;
  /** Proxies that are believed about whom they call for. Undefined: none. */
  readonly trustedProxies: BlockList | undefined;
  /** Connections that may be open at once. */
  readonly maxConnections: number;
  /** Of them, those of one address. */
  readonly maxConnectionsPerAddress: number;
  /** Broken requests that one address may send a minute. */
  readonly brokenRequestsPerMinute: number;
  /** How long a character stays after its connection was lost, in milliseconds. */
  readonly lingerMs: number;
  /** How long players are warned before the gateway closes, in milliseconds. */
  readonly drainMs: number;
  readonly version: { readonly server: string; readonly commit: string };
  readonly game: {
    readonly id: string;
    readonly title: string;
    readonly startZone: string;
    readonly viewRadius: number;
  };
  readonly types: ComponentTypes;
  readonly store: Store;
  readonly saver: Saver;
  readonly chatLog: ChatLog;
  readonly accounts: Accounts;
  readonly releases: Releases;
  readonly zones: ZoneHost;
  /** The game's own calls. */
  readonly gameServices: (players: Pick<Players, "find">) => readonly ServiceDefinition[];
  readonly backups: Backups;
  /** An admin wanted the server to stop, and the time has come. */
  readonly onDrained: () => void;
  readonly logger: Logger;
  /** A key for a viewer: none that one of the same character had before, in this run or an earlier one. */
  readonly newKey: () => string;
  /** Milliseconds since 1970-01-01. */
  readonly now: () => number;
  /** What is told of calls as they are made, for metrics. */
  readonly watch: GatewayWatch;
  /** What answers calls. Default: `createShortWay`. */
  readonly answerCalls?: CallsFactory | undefined;
}

/** What a gateway counts and tells, for metrics and the log. Undefined: nobody wants to know. */
export interface GatewayWatch {
  /** Before the first call: all that can be called. */
  readonly onMethods?: ((methods: readonly DescMethod[]) => void) | undefined;
  readonly observer?: CallObserver | undefined;
  readonly onRefused?: ((reason: ErrorReason) => void) | undefined;
  readonly views?: ViewCounts | undefined;
  /** Puts something around all calls, for traces. */
  readonly wrapCalls?: ((pipeline: Pipeline) => Pipeline) | undefined;
}

/** The half of a node that clients talk to: players, calls, the port. */
export interface Gateway {
  readonly players: Players;
  /** Whether it takes calls, as `/readyz` tells. */
  readonly ready: boolean;
  /** What went over the port. */
  readonly traffic: TrafficCounts;
  /** Begins to take calls. The port comes back. */
  start(): Promise<{ readonly port: number }>;
  /** Refuses new calls, warns the players, takes them out of the world, ends what is still open and closes the port. */
  close(): Promise<void>;
}

/** A gateway before the zones of a node. */
export function createGateway(options: GatewayOptions): Gateway {
  const { store, saver, zones, accounts, releases, logger, game } = options;
  const answerFlags = createAnswerFlags();
  const turns = createTurns<number>();
  const { startZone, viewRadius } = game;
  const { lingerMs, newKey } = options;
  const entry = createWorldEntry({ store, saver, zones, startZone });
  const players = createPlayers({
    ...{ entry, turns, answerFlags, viewRadius, lingerMs, logger, newKey },
    wallClock: options.now,
    views: options.watch.views,
  });
  const drain = createDrain({
    raise: raiseForAll,
    onChanged: () => calls.health.setServing(ready && !drain.isRunning),
    onDue: options.onDrained,
    now: options.now,
  });
  const services = createServices(options, { players, answerFlags, turns, drain });
  const calls = createCalls(options, services);
  const front = createFront({
    game: game.title,
    calls: calls.handler,
    ready: () => ready && storeAnswers && !drain.isRunning,
    allowedOrigins: options.allowedOrigins,
  });
  const { trustedProxies, maxConnectionsPerAddress: maxPerAddress } = options;
  const { direct } = calls.handler;
  const port = createPort({
    ...{ host: options.host, port: options.port, tls: options.tls, handler: front, logger },
    ...(direct && { direct: createDirectFront(direct, options.allowedOrigins) }),
    maxConnections: options.maxConnections,
    perAddress: {
      maxPerAddress,
      isProxy: (address) => trustedProxies !== undefined && isListed(trustedProxies, address),
      refuse(request, response) {
        closeBehind(response);
        calls.refuse(request, response, tooManyConnections(maxPerAddress));
      },
    },
  });
  let ready = false;
  let storeAnswers = true;
  let pinger: NodeJS.Timeout | undefined;

  function ping(): void {
    store.ping().then(
      () => {
        storeAnswers = true;
      },
      () => {
        storeAnswers = false;
      },
    );
  }

  function raiseForAll(flag: Flag): void {
    answerFlags.putForAll(flag);
    players.putFlagOnStreams(flag);
  }

  return {
    players,
    get ready() {
      return ready && storeAnswers;
    },
    get traffic() {
      return port.traffic;
    },
    async start() {
      accounts.onSessionEnded(players.onSessionEnded);
      accounts.onCharacterChanged(players.onCharacterChanged);
      releases.onPublished((release) => raiseForAll(clientFlag(release)));
      zones.onMapChanged((zone, revision, region) => {
        answerFlags.putForZone(zone, mapFlag(zone, revision, region));
      });
      players.start();
      calls.pipeline.start();
      pinger = setInterval(ping, PING_INTERVAL_MS);
      const listening = await port.start();
      ready = true;
      calls.health.setServing(true);
      return listening;
    },
    async close() {
      ready = false;
      clearInterval(pinger);
      drain.close();
      calls.health.setServing(false);
      const stopsInMs = options.drainMs;
      raiseForAll(drainFlag(stopsInMs, drain.reason || "the server stops"));
      if (players.count > 0) await new Promise((resolve) => setTimeout(resolve, stopsInMs));
      await players.close(draining());
      calls.stop(draining());
      await port.close({ timeoutMs: CLOSE_TIMEOUT_MS });
    },
  };
}

function draining(): DomainError {
  return new DomainError(ErrorReason.DRAINING, "the server is stopping", { retryDelayMs: 5_000 });
}

function createServices(
  options: GatewayOptions,
  parts: {
    readonly players: Players;
    readonly answerFlags: ReturnType<typeof createAnswerFlags>;
    readonly turns: ReturnType<typeof createTurns<number>>;
    readonly drain: Drain;
  },
): ServiceDefinition[] {
  const { players, answerFlags, turns, drain } = parts;
  const { types, store, saver, chatLog, accounts, releases, zones, logger, game, now } = options;
  const { viewRadius } = game;
  const presence = {
    online: (name: string) => players.find(name)?.online ?? false,
    zone: (name: string) => players.find(name)?.zoneName,
  };
  const targets = createTargets({ types, players, store, saver });
  const attributes = createAttributes({ types, targets, players, store, turns, viewRadius });
  const version = { ...options.version, game: game.id };
  const upgrade = createUpgrade({ releases, logger });
  const world = {
    version,
    accounts,
    presence,
    players,
    attributes,
    zones,
    releases,
    upgrade,
    types,
  };
  const { users } = accounts;
  const { backups } = options;
  const announce = createAnnounce({ players, zones, chatLog, now });
  const audit = createAudit(logger);
  const { refuseLogins } = drain;
  return [
    createWorldService({ ...world, answerFlags, refuseLogins, now }),
    createAccountService({ accounts, presence, refuseLogins }),
    createZoneService({ zones, players, store, types }),
    createChatService({ players, store, chatLog, now }),
    createReleaseService({ releases, audit }),
    createAdminService({ users, presence, announce, drain, backups, zones, audit, now }),
    ...options.gameServices(players),
  ];
}

/** Puts services behind the pipeline, with reflection and health beside them. */
function createCalls(options: GatewayOptions, services: readonly ServiceDefinition[]) {
  const { accounts: authenticator, logger, types, trustedProxies } = options;
  const descriptors = services.map(({ desc }) => desc);
  const components = types.types.map(({ schema }) => schema);
  const health = createHealth({ services: descriptors });
  const reflected = [...descriptors, health.service.desc];
  const { files, registry } = gatherTypes(reflected, components);
  options.watch.onMethods?.(descriptors.flatMap(({ methods }) => methods));
  const { observer, onRefused } = options.watch;
  const watch = { observer, onRefused };
  const plain = createPipeline({ authenticator, services, registry, logger, ...watch });
  const pipeline = options.watch.wrapCalls?.(plain) ?? plain;
  const infrastructure = [health.service, ...createReflection({ services: reflected, files })];
  const stopping = new AbortController();
  const shutdownSignal = stopping.signal;
  const judge = createRequestJudge({ perMinute: options.brokenRequestsPerMinute, trustedProxies });
  const common = { pipeline, services, registry, logger, shutdownSignal, trustedProxies, judge };
  const adapter = createConnectHandler({ ...common, infrastructure });
  const handler = (options.answerCalls ?? createShortWay)({ ...common, adapter });
  const refuse = createRefusal({ registry, logger });
  return { pipeline, health, handler, refuse, stop: (reason: unknown) => stopping.abort(reason) };
}
