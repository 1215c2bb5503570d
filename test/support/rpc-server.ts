import type { DescMessage } from "@bufbuild/protobuf";
import { CreatureSchema, PurseSchema } from "../../gen/ts/meadow/v1/components_pb.ts";
import { BodySchema } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Authenticator, Session, SessionStanding } from "../../server/account/session.ts";
import { DomainError } from "../../server/errors.ts";
import {
  type ConnectHandler,
  type ConnectHandlerOptions,
  createConnectHandler,
} from "../../server/rpc/transport/connect-adapter.ts";
import { gatherTypes } from "../../server/rpc/services/descriptors.ts";
import { createDirectFront, createFront, type FrontOptions } from "../../server/rpc/front.ts";
import { createHealth, type HealthService } from "../../server/rpc/services/health.ts";
import type { Logger } from "../../server/logger.ts";
import {
  createPipeline,
  type Pipeline,
  type PipelineOptions,
} from "../../server/rpc/pipeline/pipeline.ts";
import { createPort, type Port, type PortOptions } from "../../server/rpc/port/port.ts";
import { createReflection } from "../../server/rpc/services/reflection.ts";
import type { DirectHandler } from "../../server/rpc/transport/direct-answer.ts";
import { createShortWay } from "../../server/rpc/transport/short-way.ts";
import { type Handlers, defineService, type ServiceDefinition } from "../../server/rpc/service.ts";

/** Components of a game, which occur only inside `google.protobuf.Any`. */
export const COMPONENTS: readonly DescMessage[] = [BodySchema, CreatureSchema, PurseSchema];

/** Tokens of sessions that are live on a test server. */
export const TOKENS = { player: "player-token", builder: "builder-token" } as const;

/** One line of a log. */
export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A logger that keeps what it is given. */
export function createMemoryLog(): { readonly logger: Logger; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: LogLine["level"]) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...fields }, message });
  };
  return {
    lines,
    logger: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") },
  };
}

/** An authenticator whose sessions change when it is told. */
export interface TokenTable extends Authenticator {
  /** Tells those who watch the session of `ada` or `builder`. */
  tell(name: string, standing: SessionStanding): void;
  /** How many watch a session. */
  readonly watched: number;
}

/** Knows the sessions of {@link TOKENS} and no others. */
export function createTokenTable(): TokenTable {
  const watchers = new Set<{ key: string; listener: Parameters<Authenticator["watch"]>[1] }>();
  const sessions = new Map<string, Session>([
    [TOKENS.player, sessionOf(1, "ada", Role.PLAYER)],
    [TOKENS.builder, sessionOf(2, "builder", Role.BUILDER)],
  ]);
  return {
    authenticate(token) {
      const session = sessions.get(String(token));
      if (session !== undefined) return Promise.resolve(session);
      return Promise.reject(new DomainError(ErrorReason.TOKEN_INVALID, "the token is unknown"));
    },
    watch({ key }, listener) {
      const watching = { key, listener };
      watchers.add(watching);
      return { close: () => watchers.delete(watching) };
    },
    tell(name, standing) {
      for (const { key, listener } of [...watchers]) {
        if (key === keyOf(name)) listener(standing);
      }
    },
    get watched() {
      return watchers.size;
    },
  };
}

function keyOf(name: string): string {
  return `key-of-${name}`;
}

/** The session of somebody. */
export function sessionOf(accountId: number, name: string, role: Role): Session {
  return {
    key: keyOf(name),
    accountId,
    accountName: name,
    role,
    character: { id: accountId, name },
  };
}

/** WorldService with only some of its calls. */
export function worldWith(handlers: Partial<Handlers<typeof WorldService>>): ServiceDefinition {
  return defineService(WorldService, handlers as Handlers<typeof WorldService>);
}

/** A server of the real parts of `server/rpc` at a free port of 127.0.0.1, without a world behind it. */
export interface RpcServer {
  readonly host: string;
  readonly url: string;
  /** For servers with TLS. */
  readonly securedUrl: string;
  readonly portNumber: number;
  readonly port: Port;
  readonly pipeline: Pipeline;
  readonly health: HealthService;
  readonly log: readonly LogLine[];
  /** How many requests the adapter has answered: those that did not go the short way. */
  readonly adapted: number;
  /** How many requests were answered without Node's HTTP server. */
  readonly direct: number;
  close(): Promise<void>;
}

/** Options of {@link startRpcServer}. */
export interface RpcServerOptions {
  readonly services: readonly ServiceDefinition[];
  readonly pipeline?: Partial<PipelineOptions>;
  readonly connect?: Partial<ConnectHandlerOptions>;
  readonly front?: Partial<FrontOptions>;
  readonly port?: Partial<PortOptions>;
  /** Whether calls in plain form take the short way, as on a real server. Default: yes. */
  readonly shortWay?: boolean;
}

/** Starts such a server. */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const { services } = options;
  const { logger, lines } = createMemoryLog();
  const descs = services.map(({ desc }) => desc);
  const health = createHealth({ services: descs });
  health.setServing(true);
  const { files, registry } = gatherTypes([...descs, health.service.desc], COMPONENTS);
  const pipeline = createPipeline({
    authenticator: createTokenTable(),
    services,
    registry,
    logger,
    ...options.pipeline,
  });
  pipeline.start();
  const reflection = createReflection({ services: [...descs, health.service.desc], files });
  const adapter = createConnectHandler({
    pipeline,
    services,
    infrastructure: [health.service, ...reflection],
    registry,
    logger,
    ...options.connect,
  });
  let adapted = 0;
  const counted: ConnectHandler = {
    ...adapter,
    handle(...request) {
      adapted += 1;
      adapter.handle(...request);
    },
  };
  const short =
    options.shortWay === false
      ? undefined
      : createShortWay({
          ...options.connect,
          ...{ pipeline, services, adapter: counted, registry, logger },
        });
  let answered = 0;
  const direct = short && createDirectFront(short.direct, options.front?.allowedOrigins);
  const handler = createFront({
    ...{ game: "meadow", calls: short ?? counted, ready: () => true },
    ...options.front,
  });
  const port = createPort({
    ...{ host: "127.0.0.1", port: 0, handler, logger },
    ...(direct && { direct: countCalls(direct, () => answered++) }),
    ...options.port,
  });
  const started = await port.start();
  const host = `127.0.0.1:${started.port}`;
  return {
    host,
    url: `http://${host}`,
    securedUrl: `https://${host}`,
    portNumber: started.port,
    port,
    pipeline,
    health,
    log: lines,
    get adapted() {
      return adapted;
    },
    get direct() {
      return answered;
    },
    close: () => port.close({ timeoutMs: 1000 }),
  };
}

/** Tells of each request that is answered. */
function countCalls(handler: DirectHandler, onCall: () => void): DirectHandler {
  return (head) => {
    const call = handler(head);
    return (
      call &&
      ((body) => {
        const run = call(body);
        if (run) onCall();
        return run;
      })
    );
  };
}
