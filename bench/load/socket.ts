import net from "node:net";

/** What a connection tells. */
export interface SocketEvents {
  onData(chunk: Buffer): void;
  /** It broke, or the other side closed it. */
  onEnd(reason: string): void;
}

/** A connection to a server on this machine. Rejects when there is none. */
export function openSocket(port: number, events: SocketEvents): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    socket.once("connect", () => {
      socket.off("error", reject);
      socket.on("error", (error) => events.onEnd(error.message));
      socket.on("close", () => events.onEnd("the connection was closed"));
      resolve(socket);
    });
    socket.once("error", reject);
    socket.on("data", (chunk: Buffer) => events.onData(chunk));
  });
}
