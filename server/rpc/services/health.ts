import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../../gen/ts/grpc/health/v1/health_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../../errors.ts";
import { toConnectError } from "../pipeline/error-mapping.ts";
import { defineInfrastructure, type InfrastructureService } from "./infrastructure.ts";

/** How many Watch streams may be open at once; more are refused with `resource_exhausted`. */
export const MAX_HEALTH_WATCHERS = 1_000;

/** When a watcher that was refused may try again, in milliseconds. */
const RETRY_DELAY_MS = 5_000;

/** The health service, and the switch behind it. */
export interface HealthService {
  readonly service: InfrastructureService;
  /** Says whether the server serves calls. Starts as not serving. Watchers are told at once. */
  setServing(serving: boolean): void;
  /** Says whether one service does; it counts only while the server as a whole serves. Throws an `Error` for a service that is not there. */
  setServiceServing(typeName: string, serving: boolean): void;
}

/** Options of {@link createHealth}. */
export interface HealthOptions {
  /** The services that the server offers. */
  readonly services: readonly DescService[];
  /** Default: {@link MAX_HEALTH_WATCHERS}. */
  readonly maxWatchers?: number;
}

/** gRPC's health service: Check, List, and Watch, which tells the newest status and leaves out what a slow watcher missed. */
export function createHealth(options: HealthOptions): HealthService {
  const maxWatchers = options.maxWatchers ?? MAX_HEALTH_WATCHERS;
  const serving = new Map(options.services.map(({ typeName }) => [typeName, true]));
  const watchers = new Set<() => void>();
  let serverServing = false;

  /** `""` stands for the server as a whole. */
  function statusOf(name: string): ServingStatus | undefined {
    const own = name === "" ? true : serving.get(name);
    if (own === undefined) return undefined;
    return own && serverServing ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }

  function tellWatchers(): void {
    for (const tell of watchers) tell();
  }

  async function* watch(name: string, signal: AbortSignal) {
    if (watchers.size >= maxWatchers) {
      throw toConnectError(
        new DomainError(ErrorReason.TOO_MANY_STREAMS, `more than ${maxWatchers} watchers`, {
          metadata: { limit: String(maxWatchers) },
          retryDelayMs: RETRY_DELAY_MS,
        }),
      );
    }
    let changed = Promise.withResolvers<void>();
    const tell = () => changed.resolve();
    watchers.add(tell);
    signal.addEventListener("abort", tell);
    try {
      let last: ServingStatus | undefined;
      while (!signal.aborted) {
        const status = statusOf(name) ?? ServingStatus.SERVICE_UNKNOWN;
        if (status !== last) yield { status };
        last = status;
        await changed.promise;
        changed = Promise.withResolvers<void>();
      }
    } finally {
      watchers.delete(tell);
      signal.removeEventListener("abort", tell);
    }
  }

  return {
    service: defineInfrastructure(Health, {
      check({ service }) {
        const status = statusOf(service);
        if (status === undefined) throw new ConnectError(`no service ${service}`, Code.NotFound);
        return { status };
      },
      list() {
        const names = ["", ...serving.keys()];
        return {
          statuses: Object.fromEntries(
            names.map((name) => [name, { status: statusOf(name) ?? ServingStatus.UNKNOWN }]),
          ),
        };
      },
      watch: ({ service }, context) => watch(service, context.signal),
    }),
    setServing(value) {
      serverServing = value;
      tellWatchers();
    },
    setServiceServing(typeName, value) {
      if (!serving.has(typeName)) throw new Error(`there is no service ${typeName}`);
      serving.set(typeName, value);
      tellWatchers();
    },
  };
}
