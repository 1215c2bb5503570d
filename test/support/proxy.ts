import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { Transform } from "node:stream";

/** A wire between a client and a server that a test can cut. */
export interface Proxy {
  readonly baseUrl: string;
  /** Breaks all connections at once, and every new one until {@link Proxy.restore}. */
  cut(): void;
  /** Breaks all connections for the client alone: the server still takes them for open, and cannot reach anybody. */
  vanish(): void;
  /** Cuts the connections that bring the byte at which the server has sent so many more. New ones are let through. */
  cutAfter(bytes: number): void;
  restore(): void;
  close(): Promise<void>;
}

/** Starts a proxy to a port of this machine. */
export async function startProxy(port: number): Promise<Proxy> {
  const pairs = new Set<{ client: Socket; upstream: Socket }>();
  const halves = new Set<Socket>();
  let isOpen = true;
  let bytesToCut = Number.POSITIVE_INFINITY;
  const server = createServer((client) => {
    client.on("error", () => {});
    if (!isOpen) {
      client.destroy();
      return;
    }
    const upstream = connect(port, "127.0.0.1");
    upstream.on("error", () => {});
    const pair = { client, upstream };
    pairs.add(pair);
    client.pipe(upstream);
    upstream.pipe(limitTo(client)).pipe(client);
    client.on("close", () => {
      pairs.delete(pair);
      if (!halves.has(upstream)) upstream.destroy();
    });
    upstream.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });

  /** Lets bytes of the server through, up to the one at which the connection is to be cut. */
  function limitTo(client: Socket): Transform {
    let isCut = false;
    return new Transform({
      transform(data: Buffer, _encoding, done) {
        if (isCut) return done();
        bytesToCut -= data.length;
        if (bytesToCut > 0) return done(null, data);
        const rest = data.subarray(0, data.length + bytesToCut);
        bytesToCut = Number.POSITIVE_INFINITY;
        isCut = true;
        done(null, rest);
        setImmediate(() => client.destroySoon());
      },
    });
  }

  const cut = () => {
    isOpen = false;
    for (const { client } of pairs) client.destroy();
  };
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    vanish() {
      isOpen = false;
      for (const { client, upstream } of pairs) {
        halves.add(upstream);
        upstream.unpipe();
        client.unpipe(upstream);
        upstream.pause();
        client.destroy();
      }
    },
    cutAfter(bytes) {
      bytesToCut = bytes;
    },
    restore() {
      isOpen = true;
    },
    async close() {
      cut();
      for (const half of halves) half.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
