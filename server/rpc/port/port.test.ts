import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import net, { type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { createMemoryLog } from "../../../test/support/rpc-server.ts";
import { type PortRequest, type PortResponse, sendPlain } from "../transport/plain-answer.ts";
import { createPort, type Port, type PortOptions } from "./port.ts";
import { protocolOf } from "./preface.ts";

const closers: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const echo: PortOptions["handler"] = (request, response) => {
  sendPlain(request, response, 200, `${request.httpVersion} ${request.method} ${request.url}\n`);
};

async function startPort(
  options: Partial<PortOptions> = {},
): Promise<{ port: Port; number: number }> {
  const { logger } = createMemoryLog();
  const port = createPort({ host: "127.0.0.1", port: 0, handler: echo, logger, ...options });
  const { port: number } = await port.start();
  closers.push(() => port.close({ timeoutMs: 200 }));
  return { port, number };
}

async function connect(number: number): Promise<Socket> {
  const socket = net.connect({ port: number, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  closers.push(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

// Not `once`, which rejects when a reset comes first.
function isClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

async function readUntil(socket: Socket, pattern: RegExp): Promise<string> {
  let text = "";
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (pattern.test(text)) return text;
  }
  return text;
}

function connectHttp2(number: number): http2.ClientHttp2Session {
  const session = http2.connect(`http://127.0.0.1:${number}`);
  session.on("error", () => {});
  closers.push(() => session.destroy());
  return session;
}

async function getHttp2(session: http2.ClientHttp2Session, path: string): Promise<string> {
  const stream = session.request({ ":path": path });
  stream.setEncoding("utf8");
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}

test("the first bytes decide, and no method of HTTP/1.1 is taken for HTTP/2", () => {
  for (const method of http.METHODS)
    expect(protocolOf(Buffer.from(`${method} /`)), method).toBe("http1");
  expect(protocolOf(Buffer.from("PRI * HTTP/2.0\r\n"))).toBe("http2");
  expect(protocolOf(Buffer.from("PR"))).toBeUndefined();
  expect(protocolOf(Buffer.from("P"))).toBeUndefined();
  expect(protocolOf(Buffer.from("PO"))).toBe("http1");
});

test("HTTP/1.1 and HTTP/2 come in at the same port", async () => {
  const { port, number } = await startPort();
  const answer = await fetch(`http://127.0.0.1:${number}/a?b=c`);
  expect(await answer.text()).toBe("1.1 GET /a?b=c\n");
  const session = connectHttp2(number);
  expect(await Promise.all([getHttp2(session, "/1"), getHttp2(session, "/2")])).toEqual([
    "2.0 GET /1\n",
    "2.0 GET /2\n",
  ]);
  expect(port.connections).toBe(2);
});

test("a request that arrives in pieces, byte by byte", async () => {
  const { number } = await startPort();
  const socket = await connect(number);
  for (const byte of "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n") {
    socket.write(byte);
    await sleep(1);
  }
  expect(await readUntil(socket, /slow\n/)).toContain("1.1 POST /slow");
  // The connection stays usable after the peek.
  socket.write("GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(await readUntil(socket, /again\n/)).toContain("1.1 GET /again");
});

test("a preface that arrives in pieces", async () => {
  const { number } = await startPort();
  const socket = await connect(number);
  // The preface and an empty SETTINGS frame.
  const opening = Buffer.concat([
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
  ]);
  for (const byte of opening) {
    socket.write(Buffer.from([byte]));
    await sleep(1);
  }
  const [chunk] = (await once(socket, "data")) as [Buffer];
  expect(chunk[3]).toBe(4);
});

test("a session through which every write comes in pieces", async () => {
  const { number } = await startPort();
  const proxy = net.createServer((client) => {
    const server = net.connect(number, "127.0.0.1");
    server.setNoDelay(true);
    server.pipe(client);
    client.on("error", () => {});
    server.on("error", () => {});
    void (async () => {
      for await (const chunk of client) {
        for (const byte of chunk as Buffer) {
          server.write(Buffer.from([byte]));
          await new Promise(setImmediate);
        }
      }
      server.end();
    })().catch(() => {});
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  closers.push(() => void proxy.close());
  const session = connectHttp2((proxy.address() as net.AddressInfo).port);
  expect(await getHttp2(session, "/through")).toBe("2.0 GET /through\n");
});

test("a connection that says nothing, or only a letter, is closed after a while", async () => {
  const { port, number } = await startPort({ firstBytesTimeoutMs: 60 });
  const silent = await connect(number);
  const short = await connect(number);
  short.write("P");
  await expect.poll(() => port.connections).toBe(2);
  silent.resume();
  short.resume();
  await Promise.all([isClosed(silent), isClosed(short)]);
  await expect.poll(() => port.connections).toBe(0);
});

test("a connection that ends before it said anything is closed", async () => {
  const { port, number } = await startPort();
  const socket = await connect(number);
  socket.write("P");
  socket.end();
  socket.resume();
  await expect.poll(() => port.connections).toBe(0);
});

test("headers that never end are cut off", async () => {
  const { port, number } = await startPort({
    http1: { headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 30 },
  });
  const socket = await connect(number);
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nX-");
  expect(await readUntil(socket, /408/)).toContain("408");
  await expect.poll(() => port.connections).toBe(0);
});

test("a caller that closes its half still gets its answer over HTTP/1.1, and is gone over HTTP/2", async () => {
  const { port, number } = await startPort();
  const socket = await connect(number);
  socket.allowHalfOpen = true;
  socket.end("GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  expect(await readUntil(socket, /last\n/)).toContain("/last");

  const second = await connect(number);
  second.end(
    Buffer.concat([
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
    ]),
  );
  second.resume();
  await expect.poll(() => port.connections).toBe(0);
});

test("a hopeless request is answered or cut off, and nobody else notices", async () => {
  const { number } = await startPort();
  for (const nonsense of [
    "\x16\x03\x01\x02\x00\x01\x00\x01",
    "GET / HTTP/1.1\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nno such thing",
    "PRIVET / HTTP/1.1\r\n\r\n",
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(100_000)}\r\n\r\n`,
  ]) {
    const socket = await connect(number);
    socket.write(nonsense);
    socket.resume();
    await isClosed(socket);
  }
  expect(await getHttp2(connectHttp2(number), "/fine")).toContain("/fine");
});

test("resets at any moment do not end the process", async () => {
  const faults: unknown[] = [];
  const onFault = (error: unknown) => faults.push(error);
  process.on("uncaughtException", onFault);
  closers.push(() => void process.off("uncaughtException", onFault));
  const hanging: PortResponse[] = [];
  const { port, number } = await startPort({
    handler: (request, response) => {
      if (request.url !== "/hang") return echo(request, response);
      hanging.push(response);
      (response as http.ServerResponse).writeHead(200);
      pump(request, response);
    },
  });

  const http1Half = await connect(number);
  http1Half.write("GET / HT");
  const http1Hanging = await connect(number);
  http1Hanging.write("GET /hang HTTP/1.1\r\nHost: x\r\n\r\n");
  const http1Body = await connect(number);
  http1Body.write("POST /hang HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
  const silent = await connect(number);
  const session = connectHttp2(number);
  const streams = [1, 2, 3].map(() => session.request({ ":path": "/hang", ":method": "POST" }));
  for (const stream of streams) {
    stream.on("error", () => {});
    stream.write("abc");
    stream.resume();
  }
  await expect.poll(() => hanging.length).toBe(5);
  streams[0]?.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  streams[1]?.close(http2.constants.NGHTTP2_CANCEL);
  for (const socket of [http1Half, http1Hanging, http1Body, silent]) socket.resetAndDestroy();
  await sleep(20);
  const raw: Socket = Reflect.get(session, "socket");
  raw.destroy();
  await expect.poll(() => port.connections).toBe(0);
  expect(await getHttp2(connectHttp2(number), "/fine")).toContain("/fine");
  expect(faults).toEqual([]);
});

// Goes on writing whatever happens, as a careless handler would.
function pump(_: PortRequest, response: PortResponse): void {
  const timer = setInterval(() => {
    if (response.destroyed && response.writableEnded) clearInterval(timer);
    (response as http.ServerResponse).write("tick");
  }, 5);
  response.on("close", () => setTimeout(() => clearInterval(timer), 30));
}

test("a handler that throws is answered with 500", async () => {
  const { number } = await startPort({
    handler: () => {
      throw new Error("a bug");
    },
  });
  expect((await fetch(`http://127.0.0.1:${number}/`)).status).toBe(500);
});

test("an idle session is closed, and one with an open call is not", async () => {
  const { port, number } = await startPort({
    idleSessionTimeoutMs: 60,
    handler: (request, response) => {
      if (request.url === "/open") (response as http.ServerResponse).writeHead(200).flushHeaders();
      else echo(request, response);
    },
  });
  const idle = connectHttp2(number);
  await getHttp2(idle, "/once");
  const busy = connectHttp2(number);
  const stream = busy.request({ ":path": "/open" });
  stream.on("error", () => {});
  await once(stream, "response");
  await expect.poll(() => port.connections).toBe(1);
  await sleep(200);
  expect(port.connections).toBe(1);
  expect(busy.closed).toBe(false);
});

test("too many connections are refused", async () => {
  const { number } = await startPort({ maxConnections: 2 });
  const kept = [await connect(number), await connect(number)];
  const refused = await connect(number);
  refused.resume();
  await isClosed(refused);
  kept[0]?.write("GET /kept HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(await readUntil(kept[0]!, /kept\n/)).toContain("/kept");
});

test("close lets open calls finish, and closes what is idle at once", async () => {
  const open: PortResponse[] = [];
  const { port, number } = await startPort({
    handler: (request, response) => {
      if (request.url !== "/open") return echo(request, response);
      open.push(response);
    },
  });
  const idle = await connect(number);
  idle.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await readUntil(idle, /GET/);
  idle.resume();
  const silent = await connect(number);
  silent.resume();
  const first = fetch(`http://127.0.0.1:${number}/open`);
  const session = connectHttp2(number);
  const second = getHttp2(session, "/open");
  await expect.poll(() => open.length).toBe(2);

  const closed = port.close({ timeoutMs: 5_000 });
  await Promise.all([isClosed(idle), isClosed(silent)]);
  await expect(fetch(`http://127.0.0.1:${number}/`)).rejects.toThrow();
  expect(port.connections).toBe(2);
  for (const response of open) (response as http.ServerResponse).end("done");
  expect(await (await first).text()).toBe("done");
  expect(await second).toBe("done");
  await closed;
  expect(port.connections).toBe(0);
});

test("close cuts off what does not end in time", async () => {
  const { port, number } = await startPort({ handler: () => {} });
  const session = connectHttp2(number);
  const stream = session.request({ ":path": "/" });
  stream.on("error", () => {});
  const hanging = fetch(`http://127.0.0.1:${number}/`);
  hanging.catch(() => {});
  await expect.poll(() => port.connections).toBe(2);
  const startedAt = performance.now();
  await port.close({ timeoutMs: 100 });
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  await expect(hanging).rejects.toThrow();
});

test("a port that is taken is told", async () => {
  const { number } = await startPort();
  const second = createPort({ host: "127.0.0.1", port: number, handler: echo });
  await expect(second.start()).rejects.toThrow(/EADDRINUSE/);
});
