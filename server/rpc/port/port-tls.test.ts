import { once } from "node:events";
import http2 from "node:http2";
import https from "node:https";
import net, { type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import tls, { type ConnectionOptions, type TLSSocket } from "node:tls";
import { afterEach, beforeAll, expect, test } from "vitest";
import type { CertificateTexts } from "../../../scripts/make-certificate.ts";
import { makeTestCertificate } from "../../../test/support/certificate.ts";
import { createMemoryLog, type LogLine } from "../../../test/support/rpc-server.ts";
import { type PortResponse, sendPlain } from "../transport/plain-answer.ts";
import { createPort, type Port, type PortOptions, type PortTls } from "./port.ts";
import type { CertificatePair } from "./tls-certificate.ts";

const closers: (() => Promise<void> | void)[] = [];
let texts: CertificateTexts;

beforeAll(async () => {
  texts = await makeTestCertificate();
});

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

function pairOf({ cert, key }: CertificateTexts): CertificatePair {
  return { cert: Buffer.from(cert), key: Buffer.from(key) };
}

const echo: PortOptions["handler"] = (request, response) => {
  const { encrypted, remoteAddress } = request.socket as TLSSocket;
  const how = encrypted ? "secured" : "plain";
  sendPlain(
    request,
    response,
    200,
    `${how} ${request.httpVersion} ${request.url} ${remoteAddress}`,
  );
};

interface Started {
  readonly port: Port;
  readonly number: number;
  readonly lines: readonly LogLine[];
}

async function startPort(
  tlsOptions: Partial<PortTls> = {},
  options: Partial<PortOptions> = {},
): Promise<Started> {
  const { logger, lines } = createMemoryLog();
  const port = createPort({
    ...{ host: "127.0.0.1", port: 0, handler: echo, logger },
    tls: { certificate: { current: pairOf(texts) }, plaintext: false, ...tlsOptions },
    ...options,
  });
  const { port: number } = await port.start();
  closers.push(() => port.close({ timeoutMs: 200 }));
  return { port, number, lines };
}

async function connect(number: number): Promise<Socket> {
  const socket = net.connect({ port: number, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  closers.push(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

async function secure(number: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = tls.connect({ port: number, host: "127.0.0.1", ca: texts.cert, ...options });
  closers.push(() => void socket.destroy());
  await once(socket, "secureConnect");
  socket.on("error", () => {});
  return socket;
}

/** The preface of a client and an empty SETTINGS frame. */
const HTTP2_OPENING = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

function isClosed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

async function readAll(socket: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

async function getHttp1(number: number, path: string): Promise<string> {
  const options = { ca: texts.cert, agent: false };
  const request = https.get(`https://127.0.0.1:${number}${path}`, options);
  const [response] = (await once(request, "response")) as [NodeJS.ReadableStream];
  return readAll(response);
}

function connectHttp2(number: number): http2.ClientHttp2Session {
  const session = http2.connect(`https://127.0.0.1:${number}`, { ca: texts.cert });
  session.on("error", () => {});
  closers.push(() => session.destroy());
  return session;
}

function getHttp2(session: http2.ClientHttp2Session, path: string): Promise<string> {
  return readAll(session.request({ ":path": path }));
}

/** An answer's own text. */
function bodyOf(answer: string): string {
  return answer.split("\r\n\r\n")[1] ?? "";
}

test("HTTP/1.1 and HTTP/2 come in over TLS, chosen by ALPN, with the caller's address", async () => {
  const { port, number } = await startPort();
  const session = connectHttp2(number);
  expect(await getHttp2(session, "/2")).toBe("secured 2.0 /2 127.0.0.1");
  expect(session.alpnProtocol).toBe("h2");
  expect(session.encrypted).toBe(true);
  expect(await getHttp1(number, "/1")).toBe("secured 1.1 /1 127.0.0.1");
  await expect.poll(() => port.connections).toBe(1);
  const chosen = await secure(number, { ALPNProtocols: ["http/1.1"] });
  expect(chosen.alpnProtocol).toBe("http/1.1");
});

test("a client without ALPN is served HTTP/1.1", async () => {
  const { number } = await startPort();
  const client = await secure(number);
  expect(client.alpnProtocol).toBe(false);
  client.write("GET /plainly HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  expect(bodyOf(await readAll(client))).toBe("secured 1.1 /plainly 127.0.0.1");
});

test("a client with protocols that nobody speaks is refused in the handshake", async () => {
  const { port, number } = await startPort();
  const refused = secure(number, { ALPNProtocols: ["spdy/3"] });
  await expect(refused).rejects.toThrow(/no application protocol/i);
  await expect.poll(() => port.connections).toBe(0);
});

test("TLS 1.2 and 1.3 are spoken, older ones are not", async () => {
  const { number } = await startPort();
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const socket = await secure(number, { minVersion: version, maxVersion: version });
    expect(socket.getProtocol()).toBe(version);
  }
  const old = secure(number, {
    ...{ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" },
  });
  await expect(old).rejects.toThrow(/protocol version/i);
});

test("a handshake that arrives in pieces, byte by byte", async () => {
  const { number } = await startPort();
  const proxy = net.createServer((client) => {
    const server = net.connect(number, "127.0.0.1");
    server.setNoDelay(true);
    server.pipe(client);
    for (const socket of [client, server]) socket.on("error", () => {});
    client.on("close", () => server.destroy());
    void (async () => {
      for await (const chunk of client) {
        for (const byte of chunk as Buffer) {
          server.write(Buffer.of(byte));
          await new Promise(setImmediate);
        }
      }
      server.end();
    })().catch(() => {});
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  closers.push(() => void proxy.close());
  const { port } = proxy.address() as net.AddressInfo;
  expect(await getHttp2(connectHttp2(port), "/2")).toContain("secured 2.0 /2");
  expect(await getHttp1(port, "/1")).toContain("secured 1.1 /1");
});

test("plaintext HTTP/1.1 is told to use TLS, also with a body, and nothing is carried out", async () => {
  let handled = 0;
  const { port, number, lines } = await startPort({}, { handler: () => (handled += 1) });
  for (const request of [
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n${"x".repeat(500_000)}`,
  ]) {
    const socket = await connect(number);
    socket.write(request);
    const answer = await readAll(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toContain("connection: close\r\n");
    expect(bodyOf(answer)).toMatch(/use https:\/\//);
    socket.destroy();
  }
  expect((await fetch(`http://127.0.0.1:${number}/`)).status).toBe(400);
  await expect.poll(() => port.connections).toBe(0);
  expect(handled).toBe(0);
  expect(lines.filter(({ level }) => level !== "debug")).toEqual([]);
});

test("plaintext HTTP/2 is sent away with the reason", async () => {
  const { port, number } = await startPort();
  const session = http2.connect(`http://127.0.0.1:${number}`);
  session.on("error", () => {});
  closers.push(() => session.destroy());
  const stream = session.request({ ":path": "/" });
  stream.on("error", () => {});
  const [code, , why] = (await once(session, "goaway")) as [number, number, Buffer];
  expect(code).toBe(http2.constants.NGHTTP2_INADEQUATE_SECURITY);
  expect(String(why)).toMatch(/use https:\/\//);
  await expect.poll(() => port.connections).toBe(0);
});

test("a refused client that does not go is cut off", async () => {
  const { port, number } = await startPort();
  const socket = await connect(number);
  socket.allowHalfOpen = true;
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  socket.resume();
  await expect.poll(() => port.connections, { timeout: 5_000 }).toBe(0);
});

test("where plaintext is allowed, both come in at the same port", async () => {
  const { number } = await startPort({ plaintext: true });
  expect(await (await fetch(`http://127.0.0.1:${number}/a`)).text()).toContain("plain 1.1 /a");
  expect(await getHttp1(number, "/b")).toContain("secured 1.1 /b");
  const session = http2.connect(`http://127.0.0.1:${number}`);
  closers.push(() => session.destroy());
  expect(await getHttp2(session, "/c")).toContain("plain 2.0 /c");
  expect(await getHttp2(connectHttp2(number), "/d")).toContain("secured 2.0 /d");
});

test("a handshake that does not get on is cut off, however often a byte comes", async () => {
  const { port, number, lines } = await startPort({ handshakeTimeoutMs: 150 });
  const silent = await connect(number);
  silent.write(Buffer.from([22, 3, 1]));
  const slow = await connect(number);
  // The head of a record of 512 bytes, which then come one by one.
  slow.write(Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]));
  const dripping = setInterval(() => slow.write(Buffer.of(7)), 10);
  closers.push(() => clearInterval(dripping));
  await expect.poll(() => port.connections).toBe(2);
  for (const socket of [silent, slow]) socket.resume();
  await Promise.all([isClosed(silent), isClosed(slow)]);
  await expect.poll(() => port.connections).toBe(0);
  const messages = lines.map(({ level, message }) => `${level} ${message}`);
  expect(messages.filter((text) => text === "debug a TLS handshake took too long")).toHaveLength(2);
});

test("a client that says nothing after its handshake is cut off", async () => {
  const { port, number } = await startPort({}, { firstBytesTimeoutMs: 100 });
  const silent = await secure(number);
  silent.resume();
  await isClosed(silent);
  await expect.poll(() => port.connections).toBe(0);
});

test("a client that does not close its half of a session that was closed is cut off", async () => {
  const { port, number } = await startPort({ plaintext: true }, { idleSessionTimeoutMs: 50 });
  // Neither is ever read from.
  await secure(number, { ALPNProtocols: ["h2"] });
  const plain = await connect(number);
  plain.pause();
  plain.write(HTTP2_OPENING);
  await expect.poll(() => port.connections).toBe(2);
  await expect.poll(() => port.connections, { timeout: 5_000 }).toBe(0);
});

test("handshakes that fail or break at any moment are noted in short and disturb nobody", async () => {
  const faults: unknown[] = [];
  const onFault = (error: unknown) => faults.push(error);
  process.on("uncaughtException", onFault);
  closers.push(() => void process.off("uncaughtException", onFault));
  const { port, number, lines } = await startPort();
  const nonsense = await connect(number);
  nonsense.write(Buffer.concat([Buffer.of(22), Buffer.alloc(20_000, 99)]));
  nonsense.resume();
  // A client that does not trust the certificate says so and goes.
  await expect(secure(number, { ca: [] })).rejects.toThrow(/self.signed/i);
  for (let step = 0; step < 20; step++) {
    const socket = await connect(number);
    const client = tls.connect({ socket, ca: texts.cert, ALPNProtocols: ["h2"] });
    client.on("error", () => {});
    await sleep(step / 4);
    if (step % 2 === 0) socket.resetAndDestroy();
    else socket.destroy();
  }
  const inside = await secure(number);
  inside.write(Buffer.concat([Buffer.of(22), Buffer.from("TLS inside TLS")]));
  expect(await readAll(inside)).toContain("400 Bad Request");
  await expect.poll(() => port.connections).toBe(0);
  expect(await getHttp2(connectHttp2(number), "/fine")).toContain("/fine");
  expect(faults).toEqual([]);
  expect(lines.length).toBeGreaterThan(0);
  for (const { level, message, fields } of lines) {
    expect(`${level} ${message}`).toBe("debug a TLS handshake failed");
    expect(JSON.stringify(fields).length).toBeLessThan(200);
  }
});

test("a new certificate serves new handshakes, and open connections go on", async () => {
  const certificate = { current: pairOf(texts) };
  const { number } = await startPort({ certificate });
  const session = connectHttp2(number);
  expect(await getHttp2(session, "/before")).toContain("/before");
  const second = await makeTestCertificate();
  certificate.current = pairOf(second);
  const fresh = await secure(number, { ca: second.cert });
  expect(fresh.getPeerX509Certificate()?.toString()).toBe(second.cert);
  await expect(secure(number)).rejects.toThrow(/self.signed/i);
  expect(await getHttp2(session, "/after")).toContain("/after");
});

test("close lets open calls finish over TLS, and closes what is idle or in its handshake at once", async () => {
  const open: PortResponse[] = [];
  const { port, number } = await startPort(
    {},
    {
      handler: (request, response) => {
        if (request.url === "/open") open.push(response);
        else echo(request, response);
      },
    },
  );
  const idle = await secure(number, { ALPNProtocols: ["http/1.1"] });
  idle.write("GET /idle HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(idle, "data");
  const silent = await secure(number);
  const half = await connect(number);
  half.write(Buffer.from([22, 3, 1]));
  const first = getHttp1(number, "/open");
  const second = getHttp2(connectHttp2(number), "/open");
  await expect.poll(() => open.length).toBe(2);
  await expect.poll(() => port.connections).toBe(5);
  for (const socket of [idle, silent, half]) socket.resume();

  const closed = port.close({ timeoutMs: 5_000 });
  await Promise.all([idle, silent, half].map(isClosed));
  await expect.poll(() => port.connections).toBe(2);
  for (const response of open) (response as http2.Http2ServerResponse).end("done");
  expect(await Promise.all([first, second])).toEqual(["done", "done"]);
  await closed;
  expect(port.connections).toBe(0);
});

test("close cuts off what does not end in time over TLS", async () => {
  const { port, number } = await startPort({}, { handler: () => {} });
  const hanging = [getHttp1(number, "/"), getHttp2(connectHttp2(number), "/")];
  for (const call of hanging) call.catch(() => {});
  await expect.poll(() => port.connections).toBe(2);
  await sleep(50);
  await port.close({ timeoutMs: 100 });
  expect(port.connections).toBe(0);
  await expect(hanging[0]).rejects.toThrow(/hang up|ECONNRESET/);
});

test("a caller that closes its half still gets its answer over HTTP/1.1, and is gone over HTTP/2", async () => {
  const { port, number } = await startPort();
  const first = await secure(number, {
    ALPNProtocols: ["http/1.1"],
    allowHalfOpen: true,
  } as object);
  first.end("GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  expect(bodyOf(await readAll(first))).toContain("/last");
  const second = await secure(number, { ALPNProtocols: ["h2"] });
  second.end(HTTP2_OPENING);
  second.resume();
  await expect.poll(() => port.connections).toBe(0);
});
