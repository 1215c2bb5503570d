import net from "node:net";

/** What a connection tells. */
export interface SocketEvents {
  onData(chunk: Buffer): void;
  /** It broke, or the other side closed it. */
  onEnd(reason: string): void;
}

/** A connection to a server on this machine, which can be written to at once. */
export function connectSocket(port: number, events: SocketEvents): net.Socket {
  const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", (error) => events.onEnd(error.message));
  socket.on("close", () => events.onEnd("the connection was closed"));
  socket.on("data", (chunk: Buffer) => events.onData(chunk));
  return socket;
}

/** A connection to a server on this machine that is open. Rejects when there is none. */
export function openSocket(port: number, events: SocketEvents): Promise<net.Socket> {
  const socket = connectSocket(port, events);
  return new Promise((resolve, reject) => {
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}
