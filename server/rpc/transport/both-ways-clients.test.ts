import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { createClient, ConnectError, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ErrorDetailSchema, ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import {
  GetRequestSchema,
  type InputRequest,
  InputRequestSchema,
  InputResponseSchema,
  UpdateRequestSchema,
  UpdateResponseSchema,
  WorldService,
} from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { TOKENS } from "../../../test/support/rpc-server.ts";
import { INPUT, startTwoWays, type TwoWays } from "../../../test/support/two-ways.ts";
import { urlFor } from "../../../test/support/wire.ts";

let ways: TwoWays;

beforeAll(async () => {
  ways = await startTwoWays();
});

afterAll(async () => {
  await ways.close();
});

type Server = TwoWays["short"];

async function expectSame<T>(act: (server: Server) => Promise<T>): Promise<T> {
  const [short, adapter] = await Promise.all([act(ways.short), act(ways.adapter)]);
  expect(short).toEqual(adapter);
  return short;
}

const headers = { authorization: `Bearer ${TOKENS.player}` };
/** How streams end, by their cursor, with what is expected of them. */
const STREAMS = [
  ["", 3, 0],
  ["nothing", 0, 0],
  ["large:40000", 3, 0],
  ["reason:23", 0, 14],
  ["fail:23", 3, 14],
  ["bug-next", 3, 13],
] as const;

/** Client streams by what their messages lead to, with the code that they end with. */
const INPUTS = [
  [[], 0],
  [[1, 2, 3], 0],
  [[1, INPUT.refuse + ErrorReason.DRAINING], 14],
  [[1, INPUT.bug], 13],
  [[1, INPUT.refuseAtEnd + ErrorReason.DRAINING], 14],
] as const;

function inputOf(sequence: number): InputRequest {
  const kind = { case: "direction" as const, value: { x: 1 } };
  return create(InputRequestSchema, { moves: [{ kind, sequence }] });
}

const CONNECT_NODE: [string, (baseUrl: string) => Transport][] = [
  ["Connect over HTTP/1.1", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1" })],
  ["Connect over HTTP/2", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2" })],
  ["gRPC over HTTP/2", (baseUrl) => createGrpcTransport({ baseUrl })],
  ["gRPC-Web over HTTP/1.1", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
  ["gRPC-Web over HTTP/2", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "2" })],
];
const CONNECT_NODE_CASES = [false, true].flatMap((secured) =>
  CONNECT_NODE.map(([name, createTransport]) => [name, secured, createTransport] as const),
);

describe.each(CONNECT_NODE_CASES)(
  "connect-node: %s, with TLS: %s",
  (_, secured, createTransport) => {
    const clientOf = (server: Server) =>
      createClient(WorldService, createTransport(urlFor(server, { secured })));

    test("unary calls, good and bad", async () => {
      const answer = await expectSame((server) =>
        clientOf(server).get({ name: "hen" }, { headers, timeoutMs: 10_000 }),
      );
      expect(answer.attributes["name"]?.kind.value).toBe("hen");
      const error = await expectSame(async (server) => {
        const failure = ConnectError.from(
          await clientOf(server)
            .get({ name: `reason:${ErrorReason.DRAINING}` }, { headers })
            .catch((reason: unknown) => reason),
        );
        return [failure.code, failure.rawMessage, failure.findDetails(ErrorDetailSchema)] as const;
      });
      expect(error[2]).toMatchObject([{ reason: ErrorReason.DRAINING, metadata: { name: "ada" } }]);
    });

    test.each(STREAMS)("a stream: %j", async (cursor, count, code) => {
      const result = await expectSame(async (server) => {
        const messages: unknown[] = [];
        try {
          for await (const message of clientOf(server).update({ cursor }, { headers })) {
            messages.push(message);
          }
        } catch (error) {
          const { code: ended, details } = ConnectError.from(error);
          return { messages, code: ended, details };
        }
        return { messages, code: 0 };
      });
      expect(result.messages).toHaveLength(count);
      expect(result.code).toBe(code);
    });

    test.each(INPUTS)("a client stream: %j", async (sequences, code) => {
      const result = await expectSame(async (server) => {
        async function* requests() {
          for (const sequence of sequences) yield inputOf(sequence);
        }
        try {
          return [await clientOf(server).input(requests(), { headers, timeoutMs: 10_000 }), 0];
        } catch (error) {
          const { code: ended, details } = ConnectError.from(error);
          return [details, ended];
        }
      });
      expect(result[1]).toBe(code);
      if (code === 0) expect(result[0]).toMatchObject({ taken: sequences.length });
    });

    test("a client that leaves closes its stream", async () => {
      await expectSame(async (server) => {
        const before = server.witness.closed.length;
        const leaving = new AbortController();
        const { signal } = leaving;
        const stream = clientOf(server).update({ cursor: "wait" }, { headers, signal });
        for await (const message of stream) {
          if (message.tick === 2) break;
        }
        leaving.abort();
        await expect.poll(() => server.witness.closed.slice(before)).toEqual(["wait"]);
      });
    });
  },
);

describe.each([false, true])("grpc-js, with TLS: %s", (secured) => {
  const metadata = new grpc.Metadata();
  metadata.set("authorization", headers.authorization);

  async function withClient<T>(server: Server, act: (client: grpc.Client) => Promise<T>) {
    const { createSsl, createInsecure } = grpc.credentials;
    const credentials = secured ? createSsl(Buffer.from(ways.cert)) : createInsecure();
    const client = new grpc.Client(server.host, credentials);
    try {
      return await act(client);
    } finally {
      client.close();
    }
  }

  test.each(["hen", "reason:23", "bug", "large:100000"])("a unary call: %s", async (name) => {
    const result = await expectSame((server) =>
      withClient(
        server,
        (client) =>
          new Promise<unknown>((resolve) => {
            client.makeUnaryRequest(
              "/realmwire.v1.WorldService/Get",
              () => Buffer.from(toBinary(GetRequestSchema, create(GetRequestSchema, { name }))),
              (bytes) => bytes.toString("hex"),
              {},
              metadata,
              { deadline: Date.now() + 10_000 },
              (error, value) =>
                resolve(
                  value ?? [
                    error?.code,
                    error?.details,
                    error?.metadata.get("grpc-status-details-bin"),
                  ],
                ),
            );
          }),
      ),
    );
    expect(typeof result).toBe(/reason|bug/.test(name) ? "object" : "string");
  });

  test.each(STREAMS)("a stream: %j", async (cursor, count, code) => {
    const result = await expectSame((server) =>
      withClient(server, async (client) => {
        const ticks: number[] = [];
        const stream = client.makeServerStreamRequest(
          "/realmwire.v1.WorldService/Update",
          () => Buffer.from(toBinary(UpdateRequestSchema, create(UpdateRequestSchema, { cursor }))),
          (bytes) => fromBinary(UpdateResponseSchema, bytes),
          {},
          metadata,
        );
        try {
          for await (const { tick } of stream as AsyncIterable<{ tick: number }>) ticks.push(tick);
        } catch (error) {
          return { ticks, code: (error as grpc.ServiceError).code };
        }
        return { ticks, code: 0 };
      }),
    );
    expect(result).toEqual({ ticks: [1, 2, 3].slice(0, count), code });
  });

  test.each(INPUTS)("a client stream: %j", async (sequences, code) => {
    const result = await expectSame((server) =>
      withClient(
        server,
        (client) =>
          new Promise<{ code: number; taken: number }>((resolve) => {
            const stream = client.makeClientStreamRequest(
              "/realmwire.v1.WorldService/Input",
              (request: InputRequest) => Buffer.from(toBinary(InputRequestSchema, request)),
              (bytes) => fromBinary(InputResponseSchema, bytes),
              metadata,
              (error, answer) => resolve({ code: error?.code ?? 0, taken: answer?.taken ?? 0 }),
            );
            stream.on("error", () => {});
            for (const sequence of sequences) stream.write(inputOf(sequence));
            stream.end();
          }),
      ),
    );
    expect(result).toEqual({ code, taken: code === 0 ? sequences.length : 0 });
  });
});

test("none of these calls was unusual", () => {
  expect(ways.short.adapted).toBe(0);
});
