import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TOKENS } from "../../../test/support/rpc-server.ts";
import {
  getBytes as get,
  MAX_BYTES,
  startTwoWays,
  type TwoWays,
  updateBytes as update,
} from "../../../test/support/two-ways.ts";
import { playerHeaders } from "../../../test/support/open-call.ts";
import { http1Request, openSocket, readUntil } from "../../../test/support/raw-http1.ts";
import {
  inEnvelope,
  readParts,
  requestHttp1,
  STREAM_WIRES,
  urlFor,
} from "../../../test/support/wire.ts";

const GET = "/realmwire.v1.WorldService/Get";
const UPDATE = "/realmwire.v1.WorldService/Update";

let ways: TwoWays;
const closers: (() => void)[] = [];

beforeEach(async () => {
  ways = await startTwoWays();
});

afterEach(async () => {
  for (const close of closers.splice(0)) close();
  await ways.close();
});

type Server = TwoWays["short"];

/** Does the same both ways, and expects the same to come of it. */
async function expectSame<T>(act: (server: Server) => Promise<T>): Promise<T> {
  const [short, adapter] = await Promise.all([act(ways.short), act(ways.adapter)]);
  expect(short).toEqual(adapter);
  return short;
}

async function open(
  { portNumber }: Server,
  options: { secured: boolean; allowHalfOpen?: boolean },
): Promise<Socket> {
  const socket = await openSocket(portNumber, options);
  closers.push(() => socket.destroy());
  return socket;
}

/** The statuses, connection headers and bodies of whole answers, as far as they do not depend on how they are transferred. */
function statusesOf(text: string): string[] {
  return text.match(/HTTP\/1\.1 \d+/g) ?? [];
}

describe.each([false, true])("HTTP/1.1 to the byte, with TLS: %s", (secured) => {
  const UNARY = "application/proto";
  const connect = (server: Server) => open(server, { secured });

  test.each([
    ["no host", "HTTP/1.1\r\n"],
    ["a host with a space", "HTTP/1.1\r\nHost: a b\r\n"],
    ["half an address", "HTTP/1.1\r\nHost: [\r\n"],
    ["a port that is none", "HTTP/1.1\r\nHost: a:99999\r\n"],
    ["an address that is none", "HTTP/1.1\r\nHost: 300.300.300.300\r\n"],
    ["an empty host", "HTTP/1.1\r\nHost:\r\n"],
    ["two hosts", "HTTP/1.1\r\nHost: a\r\nHost: b\r\n"],
    ["HTTP/1.0 without a host", "HTTP/1.0\r\n"],
    ["HTTP/1.0", "HTTP/1.0\r\nHost: x\r\n"],
    ["a user before the host", "HTTP/1.1\r\nHost: me@x\r\n"],
  ])("%s", async (_, rest) => {
    const answer = await expectSame(async (server) => {
      const socket = await connect(server);
      const body = get("x").toString("latin1");
      socket.write(
        `POST ${GET} ${rest}Content-Type: ${UNARY}\r\nAuthorization: Bearer ${TOKENS.player}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
        "latin1",
      );
      const text = await readUntil(socket);
      return { statuses: statusesOf(text), body: text.slice(text.indexOf("\r\n\r\n")) };
    });
    expect(answer.statuses).toHaveLength(1);
  });

  test("requests on one connection, one after the other and all at once", async () => {
    const text = await expectSame(async (server) => {
      const socket = await connect(server);
      const names = ["a", "reason:7", "bug", "b"];
      const requests = names.map((name) => http1Request(GET, UNARY, get(name)));
      for (const request of requests) {
        socket.write(request);
        await readUntil(socket, /\r\n\r\n./s);
      }
      socket.write(Buffer.concat(requests));
      return statusesOf(await readUntil(socket, /(HTTP[^]*){4}b$/));
    });
    expect(text).toEqual([200, 403, 500, 200].map((status) => `HTTP/1.1 ${status}`));
  });

  test.each(STREAM_WIRES.filter((wire) => wire.http === 1 && wire.secured === secured))(
    "a connection stays usable after a stream has ended: $name",
    async (wire) => {
      const bodies = await expectSame(async (server) => {
        const { Agent } = secured ? https : http;
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        closers.push(() => agent.destroy());
        const results: unknown[] = [];
        const ports = new Set<number | undefined>();
        for (const cursor of ["", "large:30000", "fail:7", "reason:7", "nothing", ""]) {
          const request = requestHttp1(`${urlFor(server, wire)}${UPDATE}`, {
            ...{ method: "POST", agent, headers: playerHeaders(wire) },
          });
          request.end(inEnvelope(update(cursor)));
          const [answer] = (await once(request, "response")) as [http.IncomingMessage];
          ports.add(request.socket?.localPort);
          const chunks: Buffer[] = [];
          for await (const chunk of answer) chunks.push(chunk as Buffer);
          results.push(readParts(Buffer.concat(chunks)));
        }
        expect(ports.size).toBe(1);
        return results;
      });
      expect(bodies).toHaveLength(6);
      expect(bodies[0]).toHaveLength(4);
    },
  );

  test("a request that comes while an answer is written waits for its turn", async () => {
    const answers = await expectSame(async (server) => {
      const socket = await connect(server);
      const stream = inEnvelope(update("large:30000"));
      socket.write(
        Buffer.concat([
          http1Request(UPDATE, "application/connect+proto", stream),
          http1Request(GET, UNARY, get("last")),
        ]),
      );
      return statusesOf(await readUntil(socket, /last$/));
    });
    expect(answers).toEqual(["HTTP/1.1 200", "HTTP/1.1 200"]);
  });

  test("a stream that waits behind another is closed with its connection", async () => {
    const socket = await connect(ways.short);
    const stream = (cursor: string) =>
      http1Request(UPDATE, "application/connect+proto", inEnvelope(update(cursor)));
    socket.write(Buffer.concat([stream("wait:1"), stream("wait:2"), stream("wait:3")]));
    await expect.poll(() => ways.short.witness.given).toBe(9);
    socket.destroy();
    await expect
      .poll(() => ways.short.witness.closed.toSorted())
      .toEqual(["wait:1", "wait:2", "wait:3"]);
  });

  test("a caller that closes its half is treated the same", async () => {
    await expectSame(async (server) => {
      const socket = await open(server, { secured, allowHalfOpen: true });
      socket.end(http1Request(GET, UNARY, get("wait:x")));
      await expect.poll(() => server.witness.aborted).toHaveLength(1);
      return statusesOf(await readUntil(socket));
    });
  });

  test("a caller that closes its half within its request is told so, and the server lives on", async () => {
    await expectSame(async (server) => {
      const socket = await open(server, { secured, allowHalfOpen: true });
      socket.end(http1Request(GET, UNARY, get("never whole")).subarray(0, -3));
      return statusesOf(await readUntil(socket));
    });
    expect((await fetch(`${ways.short.url}/healthz`)).status).toBe(200);
  });

  test("a body without end that is too large is refused before its end", async () => {
    const answer = await expectSame(async (server) => {
      const socket = await connect(server);
      const size = MAX_BYTES + 10;
      socket.write(
        `POST ${GET} HTTP/1.1\r\nHost: x\r\nContent-Type: ${UNARY}\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`,
      );
      socket.write(Buffer.alloc(size));
      const text = await readUntil(socket, /readMaxBytes \d+/);
      return statusesOf(text);
    });
    expect(answer).toEqual(["HTTP/1.1 429"]);
  });

  test("after a refused body the connection takes the next request, or is closed", async () => {
    const answer = await expectSame(async (server) => {
      const socket = await connect(server);
      const size = 10 * MAX_BYTES;
      socket.write(
        `POST ${GET} HTTP/1.1\r\nHost: x\r\nContent-Type: ${UNARY}\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`,
      );
      socket.write(Buffer.alloc(size));
      socket.write("\r\n0\r\n\r\n");
      socket.write(
        `POST ${GET} HTTP/1.1\r\nHost: x\r\nContent-Type: ${UNARY}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
      return statusesOf(await readUntil(socket));
    });
    expect(answer).toEqual(["HTTP/1.1 429", "HTTP/1.1 401"]);
  });
});
