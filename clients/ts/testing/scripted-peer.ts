import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import type { Code, ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { ErrorDetailSchema } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import type { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";

/** A server on a port of this machine that answers what a test tells it to. */
export interface ScriptedPeer {
  readonly baseUrl: string;
  /** Cuts all connections without a word. */
  dropConnections(): void;
  close(): Promise<void>;
}

/** Starts a peer that offers these services by Connect, gRPC-Web and gRPC. */
export async function startScriptedPeer(
  routes: (router: ConnectRouter) => void,
): Promise<ScriptedPeer> {
  const server = createServer(connectNodeAdapter({ routes }));
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const dropConnections = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    dropConnections,
    close() {
      dropConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** An error as the server gives it. */
export function serverError(
  code: Code,
  reason: ErrorReason,
  more: { metadata?: Record<string, string>; retryDelayMs?: number; field?: string } = {},
): ConnectError {
  const value = create(ErrorDetailSchema, {
    reason,
    metadata: more.metadata ?? {},
    violations: more.field === undefined ? [] : [{ field: more.field, description: "is wrong" }],
    ...(more.retryDelayMs !== undefined && { retryDelay: durationFromMs(more.retryDelayMs) }),
  });
  return new ConnectError("as scripted", code, undefined, [{ desc: ErrorDetailSchema, value }]);
}
