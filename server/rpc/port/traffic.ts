import type { Socket } from "node:net";
import type { WireProtocol } from "./preface.ts";

/** Open and past connections that speak one protocol. */
export interface ProtocolTraffic {
  readonly protocol: "http1" | "http2";
  readonly tls: boolean;
  /** Connections that were taken, those that are open included. */
  readonly accepted: number;
  readonly open: number;
}

/** What went over a port since it began, by the connections' own counts: nothing is counted on the way. */
export interface TrafficCounts {
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Connections that were closed because too many were open. */
  readonly refused: number;
  readonly protocols: readonly ProtocolTraffic[];
}

/** Follows the connections of a port. */
export interface Traffic {
  /** A connection has come; its bytes count, with TLS as they are on the wire. */
  add(socket: Socket): void;
  /** It speaks a protocol, over TLS or not; `socket` may be what TLS has made of it. */
  serve(socket: Socket, protocol: WireProtocol): void;
  /** A connection beyond the limit was closed. */
  refuse(): void;
  read(): TrafficCounts;
}

/** No connections yet. */
export function createTraffic(): Traffic {
  const sockets = new Set<Socket>();
  let [received, sent, refused] = [0, 0, 0];
  const protocols = [false, true].flatMap((tls) =>
    (["http1", "http2"] as const).map((protocol) => ({ protocol, tls, accepted: 0, open: 0 })),
  );
  return {
    add(socket) {
      sockets.add(socket);
      socket.on("close", () => {
        sockets.delete(socket);
        received += socket.bytesRead;
        sent += socket.bytesWritten;
      });
    },
    serve(socket, protocol) {
      const tls = "encrypted" in socket;
      // What speaks neither is answered as a broken request of HTTP/1.1.
      const spoken = protocol === "http2" ? "http2" : "http1";
      const counts = protocols.find((each) => each.tls === tls && each.protocol === spoken);
      if (!counts) return;
      counts.accepted++;
      counts.open++;
      socket.on("close", () => counts.open--);
    },
    refuse: () => void refused++,
    read() {
      let [receivedBytes, sentBytes] = [received, sent];
      for (const socket of sockets) {
        receivedBytes += socket.bytesRead;
        sentBytes += socket.bytesWritten;
      }
      return {
        receivedBytes,
        sentBytes,
        refused,
        protocols: protocols.map((each) => ({ ...each })),
      };
    },
  };
}
