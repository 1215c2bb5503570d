import { once } from "node:events";
import http2 from "node:http2";
import net, { type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { VersionRequestSchema } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { create, createRegistry, toBinary } from "@bufbuild/protobuf";
import { makeTestCertificate, trustCertificate } from "../../../test/support/certificate.ts";
import { createMemoryLog } from "../../../test/support/rpc-server.ts";
import { callByHand, inEnvelope, outcomeOf, UNARY_WIRES } from "../../../test/support/wire.ts";
import { detailOf } from "../../../test/support/wire-error.ts";
import { closeBehind } from "../transport/broken-requests.ts";
import { MAX_SURPLUS_CONNECTIONS, tooManyConnections } from "./connection-counts.ts";
import { sendPlain } from "../transport/plain-answer.ts";
import { createPort, type Port } from "./port.ts";
import { createRefusal } from "../transport/refusal.ts";

const LIMIT = 3;
const PATH = "/realmwire.v1.WorldService/Version";

/** The certificate of all tests: a process trusts one. */
const certificate = makeTestCertificate();

const closers: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function start(
  isProxy?: (address: string) => boolean,
): Promise<{ port: Port; number: number }> {
  const { logger } = createMemoryLog();
  const { cert, key } = await certificate;
  trustCertificate(cert);
  const current = { cert: Buffer.from(cert), key: Buffer.from(key) };
  const refuse = createRefusal({ registry: createRegistry(), logger });
  const port = createPort({
    ...{ host: "127.0.0.1", port: 0, logger },
    tls: { certificate: { current }, plaintext: true },
    handler: (request, response) => sendPlain(request, response, 200, "welcome\n"),
    perAddress: {
      maxPerAddress: LIMIT,
      ...(isProxy && { isProxy }),
      refuse(request, response) {
        closeBehind(response);
        refuse(request, response, tooManyConnections(LIMIT));
      },
    },
  });
  const { port: number } = await port.start();
  closers.push(() => port.close({ timeoutMs: 200 }));
  return { port, number };
}

async function open(number: number): Promise<Socket> {
  const socket = net.connect({ port: number, host: "127.0.0.1" });
  socket.on("error", () => {});
  closers.push(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** Takes all the connections that an address may have. */
async function fill({ port, number }: { port: Port; number: number }): Promise<Socket[]> {
  const sockets = await Promise.all(Array.from({ length: LIMIT }, () => open(number)));
  await expect.poll(() => port.connections).toBe(LIMIT);
  return sockets;
}

test.each(UNARY_WIRES)(
  "beyond the limit of its address, a client is told why: $name",
  async (wire) => {
    const started = await start();
    const sockets = await fill(started);
    const url = `${wire.secured ? "https" : "http"}://127.0.0.1:${started.number}`;
    const message = toBinary(VersionRequestSchema, create(VersionRequestSchema));
    const call = () =>
      callByHand(url, {
        ...{ http: wire.http, path: PATH, headers: { "content-type": wire.contentType } },
        body: wire.enveloped ? inEnvelope(message) : message,
      });
    const refused = await call();
    expect(outcomeOf(refused)).toBe("resource_exhausted");
    expect(detailOf(refused)).toMatchObject({
      reason: ErrorReason.TOO_MANY_CONNECTIONS,
      metadata: { limit: String(LIMIT) },
      retryDelay: { seconds: 5n },
    });
    // As soon as one has gone, another may come.
    sockets[0]?.destroy();
    await expect.poll(() => started.port.connections).toBe(LIMIT - 1);
    expect(await call()).toMatchObject({ status: 200, body: "welcome\n" });
  },
);

test("a connection beyond the limit is closed, whether it says something or not", async () => {
  const started = await start();
  await fill(started);
  const silent = await open(started.number);
  silent.resume();
  await once(silent, "close");
  const spoken = await open(started.number);
  let text = "";
  spoken.on("data", (chunk) => (text += String(chunk)));
  spoken.write("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /again HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(spoken, "close");
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 429"]);
  const session = http2.connect(`http://127.0.0.1:${started.number}`);
  session.on("error", () => {});
  await once(session, "close");
  await expect.poll(() => started.port.connections).toBe(LIMIT);
});

test("so many are told why; those beyond are closed without a word", async () => {
  const started = await start();
  await fill(started);
  const surplus = await Promise.all(
    Array.from({ length: MAX_SURPLUS_CONNECTIONS }, () => open(started.number)),
  );
  await expect.poll(() => started.port.connections).toBe(LIMIT + MAX_SURPLUS_CONNECTIONS);
  const further = await open(started.number);
  further.resume();
  await once(further, "close");
  expect(surplus.some(({ destroyed }) => destroyed)).toBe(false);
});

test("a proxy may have any number", async () => {
  const started = await start((address) => address === "127.0.0.1");
  await Promise.all(Array.from({ length: 5 * LIMIT }, () => open(started.number)));
  await expect.poll(() => started.port.connections).toBe(5 * LIMIT);
  const answer = await fetch(`http://127.0.0.1:${started.number}/`);
  expect(await answer.text()).toBe("welcome\n");
});
