import type { Socket } from "node:net";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorDetailSchema, ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { limitKeyOf } from "../../addresses.ts";

/** Connections that one address may have open: a quarter of all that a port takes, so that nobody alone can use it up. */
export const MAX_CONNECTIONS_PER_ADDRESS = 5_000;
/** How long a connection beyond that may last, in milliseconds: enough to be told why. */
export const SURPLUS_TIMEOUT_MS = 2_000;
/** Connections beyond the limits of their addresses that are told so at the same time, of all addresses; further ones are closed without a word. */
export const MAX_SURPLUS_CONNECTIONS = 100;

/** When a client that was refused may try again, in milliseconds. */
const RETRY_DELAY_MS = 5_000;

/** How a new connection is to be treated. */
export type Admission = "welcome" | "surplus" | "closed";

/** Counts open connections by their addresses. */
export interface ConnectionCounts {
  /** Counts a new connection until it closes. One that is `surplus` closes after {@link SURPLUS_TIMEOUT_MS} at the latest, one that is `closed` is closed already. */
  admit(socket: Socket): Admission;
}

/** How the connections of one address are limited. */
export interface ConnectionLimits {
  /** Default: {@link MAX_CONNECTIONS_PER_ADDRESS}. */
  readonly maxPerAddress?: number;
  /** Addresses that are not limited: proxies, which bring many others. Default: none. */
  readonly isProxy?: (address: string) => boolean;
}

/** Nobody is connected yet. */
export function createConnectionCounts(options: ConnectionLimits): ConnectionCounts {
  const { maxPerAddress = MAX_CONNECTIONS_PER_ADDRESS, isProxy = () => false } = options;
  const counts = new Map<string, number>();
  let surplus = 0;

  return {
    admit(socket) {
      const address = socket.remoteAddress ?? "unknown";
      if (isProxy(address)) return "welcome";
      const key = limitKeyOf(address);
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      socket.on("close", () => {
        const left = (counts.get(key) ?? 1) - 1;
        if (left > 0) counts.set(key, left);
        else counts.delete(key);
      });
      if (count <= maxPerAddress) return "welcome";
      if (surplus >= MAX_SURPLUS_CONNECTIONS) {
        socket.destroy();
        return "closed";
      }
      surplus += 1;
      const timer = setTimeout(() => socket.destroy(), SURPLUS_TIMEOUT_MS);
      socket.on("close", () => {
        surplus -= 1;
        clearTimeout(timer);
      });
      return "surplus";
    },
  };
}

/** The error for a connection beyond the limit of its address. */
export function tooManyConnections(limit: number): ConnectError {
  const reason = ErrorReason.TOO_MANY_CONNECTIONS;
  const retryDelay = durationFromMs(RETRY_DELAY_MS);
  const value = { reason, metadata: { limit: String(limit) }, retryDelay };
  return new ConnectError(
    `more than ${limit} connections from one address`,
    Code.ResourceExhausted,
    undefined,
    [{ desc: ErrorDetailSchema, value }],
  );
}
