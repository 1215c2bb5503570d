import { readFileSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type {
  DescMessage,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { anyUnpack, AnySchema } from "@bufbuild/protobuf/wkt";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ErrorDetailSchema, ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import type { ErrorDetail } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { MoveRefusal, WorldService } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { freshName } from "../../support/player.ts";
import { DEV_PASSWORD } from "../../support/server.ts";
import type { TestServer } from "../../support/server.ts";

const PASSWORD = "open sesame";
const { version, upgrade, login, update, move, input, get, set, edit } = WorldService.method;

/** The client that most languages' gRPC is made in the likeness of, with generated messages and nothing of Connect. */
export function describeGrpcJs(server: () => TestServer): void {
  let client: Client;

  beforeAll(() => {
    const { port, certFile } = server();
    const { createSsl, createInsecure } = credentials;
    const chosen = certFile ? createSsl(readFileSync(certFile)) : createInsecure();
    client = new Client(`127.0.0.1:${port}`, chosen);
  });

  afterAll(() => client?.close());

  function headers(token: string): Metadata {
    const metadata = new Metadata();
    if (token !== "") metadata.set("authorization", `Bearer ${token}`);
    return metadata;
  }

  /** The parts of a call that grpc-js asks for. */
  function codec<I extends DescMessage, O extends DescMessage>(method: {
    input: I;
    output: O;
    parent: { typeName: string };
    name: string;
  }) {
    return {
      path: `/${method.parent.typeName}/${method.name}`,
      serialize: (message: MessageShape<I>) => Buffer.from(toBinary(method.input, message)),
      deserialize: (bytes: Buffer) => fromBinary(method.output, bytes),
    };
  }

  function unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    token = "",
  ): Promise<MessageShape<O>> {
    const { path, serialize, deserialize } = codec(method);
    const message = create(method.input, request);
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        serialize,
        deserialize,
        message,
        headers(token),
        (error, answer) => {
          if (answer) resolve(answer);
          else reject(error ?? new Error("neither an answer nor an error"));
        },
      );
    });
  }

  /** Reads a stream until it ends, until there were so many messages, or until one is what was waited for. */
  function stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    options: { token?: string; limit?: number; until?: (message: MessageShape<O>) => boolean } = {},
  ): Promise<MessageShape<O>[]> {
    const { path, serialize, deserialize } = codec(method);
    const messages: MessageShape<O>[] = [];
    const call = client.makeServerStreamRequest(
      path,
      serialize,
      deserialize,
      create(method.input, request),
      headers(options.token ?? ""),
    );
    return new Promise((resolve, reject) => {
      call.on("data", (message: MessageShape<O>) => {
        messages.push(message);
        if (messages.length !== options.limit && !options.until?.(message)) return;
        resolve(messages);
        call.cancel();
      });
      call.on("end", () => resolve(messages));
      call.on("error", reject);
    });
  }

  test("[PY-1] … [PY-10] the nine calls", async () => {
    expect(await unary(version, {})).toMatchObject({ protocol: "v1", game: "meadow" });
    const name = freshName("Grp");
    const created = await unary(WorldService.method.new, { name, password: PASSWORD });
    expect(created.character).toBe(name);
    const { token } = await unary(login, { name, password: PASSWORD });
    const [scene, ...rest] = await stream(update, { once: true }, { token });
    expect(scene?.scene?.zone).toBe("town");
    expect(rest).toEqual([]);
    const running = await stream(update, {}, { token, limit: 5 });
    expect(running).toHaveLength(5);
    const value = { $typeName: "realmwire.v1.Vector" as const, x: 0, y: 0, z: 0 };
    const moved = await unary(move, { kind: { case: "direction", value }, sequence: 7 }, token);
    expect(moved).toMatchObject({ moved: true, sequence: 7 });
    const change = {
      case: "value" as const,
      value: { kind: { case: "stringValue" as const, value: "🐑" } },
    };
    await unary(set, { attribute: "mood", change }, token);
    const { attributes } = await unary(get, { attributes: ["mood"] }, token);
    expect(attributes["mood"]?.kind.value).toBe("🐑");
    const builder = await unary(login, { name: "builder", password: DEV_PASSWORD });
    const region = { x: 0, y: 0, width: 1, height: 1 };
    const barrier = { kind: { case: "setBarriers" as const, value: { region, blocked: true } } };
    const edited = await unary(edit, { commands: [barrier], dryRun: true }, builder.token);
    expect(edited.revision).toBeGreaterThan(1);
    const parts = await stream(upgrade, { platform: "typescript" });
    expect(parts.map(({ part }) => part.case).slice(0, 2)).toEqual(["manifest", "chunk"]);
  });

  test("a stream of moves, told of by the stream of updates", async () => {
    const name = freshName("Grp");
    const { token } = await unary(WorldService.method.new, { name, password: PASSWORD });
    const { path, serialize, deserialize } = codec(input);
    const until = ({ acknowledged }: { acknowledged: number }) => acknowledged === 60;
    const updates = stream(update, {}, { token, until });
    const answer = await new Promise<MessageShape<typeof input.output>>((resolve, reject) => {
      const call = client.makeClientStreamRequest(
        path,
        serialize,
        deserialize,
        headers(token),
        (error, value) => (value ? resolve(value) : reject(error ?? new Error("no answer"))),
      );
      for (let sequence = 1; sequence <= 60; sequence++) {
        const kind = { case: "offset" as const, value: { x: sequence === 30 ? 9 : 0 } };
        call.write(create(input.input, { moves: [{ kind, sequence }] }));
      }
      call.end();
    });
    expect(answer).toMatchObject({ taken: 60, refused: 1 });
    const messages = await updates;
    const refused = messages.flatMap((message) => message.refused);
    expect(refused.map(({ sequence, refusal }) => [sequence, refusal])).toEqual([
      [30, MoveRefusal.TOO_FAR],
    ]);
  });

  test("errors carry their detail in grpc-status-details-bin", async () => {
    const refusals: [() => Promise<unknown>, number, ErrorReason][] = [
      [() => unary(get, {}), 16, ErrorReason.LOGIN_REQUIRED],
      [() => unary(get, {}, "no-token"), 16, ErrorReason.TOKEN_INVALID],
      [() => unary(login, { name: "nobody", password: "x" }), 16, ErrorReason.CREDENTIALS_WRONG],
      [() => stream(update, {}), 16, ErrorReason.LOGIN_REQUIRED],
      [() => stream(upgrade, { platform: "amiga" }), 5, ErrorReason.RELEASE_UNKNOWN],
    ];
    for (const [call, code, reason] of refusals) {
      const error = await call().then(
        () => undefined,
        (failure: unknown) => failure as ServiceError,
      );
      expect(error?.code).toBe(code);
      expect(detailOf(error)?.reason).toBe(reason);
    }
    const invalid = await unary(WorldService.method.new, { name: "", password: "" }).catch(
      (failure: unknown) => failure as ServiceError,
    );
    const detail = "code" in invalid ? detailOf(invalid) : undefined;
    expect(detail?.violations.map(({ field }) => field)).toEqual(
      expect.arrayContaining(["name", "password"]),
    );
  });
}

/** The `ErrorDetail` in a `google.rpc.Status`, whose field 3 is repeated `google.protobuf.Any`. */
function detailOf(error: ServiceError | undefined): ErrorDetail | undefined {
  const [status] = error?.metadata.get("grpc-status-details-bin") ?? [];
  if (!(status instanceof Buffer)) return undefined;
  const reader = new BinaryReader(status);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field !== 3) reader.skip(wireType);
    else return anyUnpack(fromBinary(AnySchema, reader.bytes()), ErrorDetailSchema);
  }
  return undefined;
}
