import type { Socket } from "node:net";
import tls, { type TLSSocket } from "node:tls";
import type { Logger } from "../../logger.ts";
import { ignore } from "./port-servers.ts";
import type { CertificatePair } from "./tls-certificate.ts";

/** How long a TLS handshake may take. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/** The oldest version of TLS that is spoken: those before it are forbidden (RFC 8996). */
export const MIN_TLS_VERSION = "TLSv1.2";

/** Options of {@link createTlsEntrance}, but for its log. */
export interface TlsOptions {
  /** The certificate for new handshakes; connections that are open keep theirs. */
  readonly certificate: { readonly current: CertificatePair };
  /** Default: {@link HANDSHAKE_TIMEOUT_MS}. */
  readonly handshakeTimeoutMs?: number;
}

/** Where connections come in that speak TLS. */
export interface TlsEntrance {
  /**
   * Makes the handshake on a connection, of which nothing but what was put back is read yet, and hands over the socket inside. Whichever
   * of the two closes, the other closes too. A connection whose handshake fails, or takes too long, is destroyed.
   */
  accept(socket: Socket, onSecured: (secured: TLSSocket) => void): void;
}

/** The server's half of TLS, for connections that somebody else accepts. Clients choose h2 or HTTP/1.1 in the handshake. */
export function createTlsEntrance(options: TlsOptions & { readonly logger: Logger }): TlsEntrance {
  const { certificate, logger, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS } = options;
  /** Who waits for a handshake, by the ends of its connection: Node tells no other sign by which to know it again. */
  const waiting = new Map<string, (secured: TLSSocket) => void>();
  let served: CertificatePair | undefined;

  // It never listens, but is handed its connections.
  const server = tls.createServer({ ALPNProtocols: ["h2", "http/1.1"] });
  server.on("secureConnection", (secured) => {
    secured.on("error", ignore);
    const onSecured = waiting.get(endsOf(secured));
    // Gone in the meantime.
    if (onSecured === undefined) secured.destroy();
    else onSecured(secured);
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, secured) => {
    logger.debug({ code: error.code, peer: secured.remoteAddress }, "a TLS handshake failed");
    secured.destroy();
  });

  return {
    accept(socket, onSecured) {
      if (served !== certificate.current) {
        served = certificate.current;
        server.setSecureContext({ ...served, minVersion: MIN_TLS_VERSION });
      }
      const ends = endsOf(socket);
      // Node's own limit begins anew with each byte that comes.
      const timer = setTimeout(() => {
        logger.debug({ peer: socket.remoteAddress }, "a TLS handshake took too long");
        socket.destroy();
      }, handshakeTimeoutMs);
      const stop = () => {
        clearTimeout(timer);
        waiting.delete(ends);
        socket.off("close", stop);
      };
      socket.on("close", stop);
      waiting.set(ends, (secured) => {
        stop();
        onSecured(secured);
      });
      // A client that ends before its handshake is gone.
      socket.allowHalfOpen = false;
      server.emit("connection", socket);
    },
  };
}

/** No two open connections of a port have the same. */
function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
