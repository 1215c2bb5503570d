import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { Health } from "../../../gen/ts/grpc/health/v1/health_pb.ts";
import { type ErrorDetail, ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import {
  EditRequestSchema,
  InputRequestSchema,
  MoveRequestSchema,
  MoveSchema,
  NewRequestSchema,
  UpdateRequestSchema,
  type UpdateResponseSchema,
  VersionRequestSchema,
  WorldService,
} from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import {
  createMemoryLog,
  createTokenTable,
  TOKENS,
  worldWith,
} from "../../../test/support/rpc-server.ts";
import { DomainError } from "../../errors.ts";
import type { CallContext } from "./admission.ts";
import { createPipeline, type PipelineOptions } from "./pipeline.ts";
import { type Call, messageSink } from "../service.ts";

const { version, move, edit, update } = WorldService.method;
const VERSION = create(VersionRequestSchema);
const MOVE = create(MoveRequestSchema, { kind: { case: "offset", value: { x: 1 } } });
const UPDATE = create(UpdateRequestSchema);

function contextWith(init: Partial<CallContext> = {}): CallContext {
  return {
    authorization: undefined,
    peer: "192.0.2.1",
    requestId: "id-1",
    signal: new AbortController().signal,
    ...init,
  };
}

const PLAYER = contextWith({ authorization: `Bearer ${TOKENS.player}` });

function start(handlers: Parameters<typeof worldWith>[0], options: Partial<PipelineOptions> = {}) {
  const { logger, lines } = createMemoryLog();
  const pipeline = createPipeline({
    authenticator: createTokenTable(),
    services: [worldWith(handlers)],
    logger,
    ...options,
  });
  pipeline.start();
  return { pipeline, log: lines };
}

async function failureOf(
  call: Promise<unknown>,
): Promise<{ code: Code; detail: Partial<ErrorDetail> }> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConnectError)) throw new Error("the call did not fail", { cause: error });
  const [detail] = error.details;
  return {
    code: error.code,
    detail: detail && "desc" in detail ? detail.value : {},
  };
}

test("a call that needs a login: no token, a wrong one, a low role, a good one", async () => {
  const calls: Call[] = [];
  const { pipeline } = start({
    move: (_, call) => {
      calls.push(call);
      return { moved: true };
    },
    edit: () => ({ revision: 1 }),
  });
  const none = await failureOf(pipeline.unary(move, MOVE, contextWith()));
  expect(none).toMatchObject({
    code: Code.Unauthenticated,
    detail: { reason: ErrorReason.LOGIN_REQUIRED },
  });
  for (const authorization of ["", "Basic abc", "Bearer", "Bearer  "]) {
    const failure = await failureOf(pipeline.unary(move, MOVE, contextWith({ authorization })));
    expect(failure.detail.reason, authorization).toBe(ErrorReason.LOGIN_REQUIRED);
  }
  const wrong = await failureOf(
    pipeline.unary(move, MOVE, contextWith({ authorization: "Bearer nonsense" })),
  );
  expect(wrong).toMatchObject({
    code: Code.Unauthenticated,
    detail: { reason: ErrorReason.TOKEN_INVALID },
  });
  const low = await failureOf(
    pipeline.unary(edit, create(EditRequestSchema, { undoRevision: 1 }), PLAYER),
  );
  expect(low).toMatchObject({
    code: Code.PermissionDenied,
    detail: { reason: ErrorReason.ROLE_TOO_LOW, metadata: { role: "ROLE_BUILDER" } },
  });
  expect(calls).toEqual([]);
  await expect(pipeline.unary(move, MOVE, PLAYER)).resolves.toMatchObject({
    $typeName: "realmwire.v1.MoveResponse",
    moved: true,
  });
  await pipeline.unary(move, MOVE, contextWith({ authorization: `bearer ${TOKENS.builder}` }));
  expect(calls.map((call) => [call.session?.accountName, call.peer])).toEqual([
    ["ada", "192.0.2.1"],
    ["builder", "192.0.2.1"],
  ]);
});

test("a call that needs no login knows a caller who has one, and does not mind a bad token", async () => {
  const names: (string | undefined)[] = [];
  const { pipeline } = start({
    version: (_, call) => {
      names.push(call.session?.accountName);
      return {};
    },
  });
  await pipeline.unary(version, VERSION, PLAYER);
  await pipeline.unary(version, VERSION, contextWith({ authorization: "Bearer nonsense" }));
  await pipeline.unary(version, VERSION, contextWith());
  expect(names).toEqual(["ada", undefined, undefined]);
});

test("an authenticator that breaks is an internal error, also where no login is needed", async () => {
  const authenticate = () => Promise.reject(new Error("a bug"));
  const authenticator = { ...createTokenTable(), authenticate };
  const { pipeline, log } = start({ version: () => ({}) }, { authenticator });
  expect((await failureOf(pipeline.unary(version, VERSION, PLAYER))).code).toBe(Code.Internal);
  expect(log).toHaveLength(1);
});

test("a limit counts sessions where a login is needed and addresses where not", async () => {
  let time = 0;
  const { pipeline } = start(
    { version: () => ({}), move: () => ({ moved: true }) },
    { now: () => time },
  );
  // 50 a second, 200 at once.
  for (let i = 0; i < 200; i++) {
    await pipeline.unary(version, VERSION, i % 2 === 0 ? PLAYER : contextWith());
  }
  const refused = await failureOf(pipeline.unary(version, VERSION, PLAYER));
  expect(refused).toMatchObject({
    code: Code.ResourceExhausted,
    detail: {
      reason: ErrorReason.TOO_MANY_CALLS,
      metadata: { limit: "50" },
      retryDelay: { seconds: 0n, nanos: 20_000_000 },
    },
  });
  await pipeline.unary(version, VERSION, contextWith({ peer: "192.0.2.2" }));
  time += 20;
  await pipeline.unary(version, VERSION, contextWith());

  // 200 a second, 400 at once, wherever from.
  for (let i = 0; i < 400; i++) {
    await pipeline.unary(move, MOVE, { ...PLAYER, peer: `192.0.2.${i % 100}` });
  }
  expect((await failureOf(pipeline.unary(move, MOVE, PLAYER))).detail.metadata).toEqual({
    limit: "200",
  });
  await pipeline.unary(move, MOVE, contextWith({ authorization: `Bearer ${TOKENS.builder}` }));
});

test("broken rules are listed, each with its field and its limit, and the handler is not called", async () => {
  const { pipeline } = start({
    new: () => {
      throw new Error("must not be called");
    },
    edit: () => ({}),
    move: () => ({}),
  });
  const request = create(NewRequestSchema, { name: "7", password: "short", email: "nobody" });
  const { code, detail } = await failureOf(
    pipeline.unary(WorldService.method.new, request, contextWith()),
  );
  expect(code).toBe(Code.InvalidArgument);
  expect(detail.reason).toBe(ErrorReason.INVALID_FIELDS);
  const byField = new Map<string, string[]>();
  for (const { field, description } of detail.violations ?? []) {
    byField.set(field, [...(byField.get(field) ?? []), description]);
  }
  expect([...byField.keys()].toSorted()).toEqual(["email", "name", "password"]);
  expect(byField.get("password")?.join()).toMatch(/8/);
  expect(byField.get("name")?.join()).toMatch(/2/);

  const builder = contextWith({ authorization: `Bearer ${TOKENS.builder}` });
  const both = await failureOf(pipeline.unary(edit, create(EditRequestSchema), builder));
  expect(both.detail.violations).toEqual([
    { field: "", description: "either commands or undo_revision is needed, not both" },
  ]);
  const nowhere = await failureOf(pipeline.unary(move, create(MoveRequestSchema), PLAYER));
  expect(nowhere.detail.violations).toEqual([
    { field: "kind", description: "one of offset, destination, direction, moves must be set" },
  ]);
  const twice = { ...MOVE, moves: [create(MoveSchema, { kind: MOVE.kind })] };
  const ambiguous = await failureOf(pipeline.unary(move, twice, PLAYER));
  expect(ambiguous.detail.violations).toEqual([
    { field: "kind", description: "only one of offset, destination, direction, moves can be set" },
  ]);
});

test("a list of broken rules is bounded", async () => {
  const { pipeline } = start({ get: () => ({}) });
  const request = {
    $typeName: "realmwire.v1.GetRequest" as const,
    name: "",
    attributes: Array<string>(64).fill(""),
  };
  const { detail } = await failureOf(pipeline.unary(WorldService.method.get, request, PLAYER));
  expect(detail.violations).toHaveLength(20);
  expect(detail.violations?.[3]?.field).toBe("attributes[3]");
});

test("a call without a handler is unimplemented", async () => {
  const { pipeline, log } = start({});
  expect((await failureOf(pipeline.unary(version, VERSION, contextWith()))).code).toBe(
    Code.Unimplemented,
  );
  const stream = pipeline.serverStream(update, UPDATE, PLAYER)[Symbol.asyncIterator]();
  expect((await failureOf(stream.next())).code).toBe(Code.Unimplemented);
  expect(log).toEqual([]);
});

type Update = MessageInitShape<typeof UpdateResponseSchema>;

function ticks(onEnd: () => void, failAt = Number.POSITIVE_INFINITY, error?: unknown) {
  const yielded: number[] = [];
  async function* handler(): AsyncGenerator<Update> {
    try {
      for (let tick = 1; ; tick++) {
        if (tick >= failAt) throw error;
        yielded.push(tick);
        yield { tick };
      }
    } finally {
      onEnd();
    }
  }
  return { yielded, handler };
}

test("a stream's handler runs only as far as it is asked to, and ends when its caller does", async () => {
  let ended = 0;
  const { yielded, handler } = ticks(() => (ended += 1));
  const { pipeline } = start({ update: handler });
  const stream = pipeline.serverStream(update, UPDATE, PLAYER)[Symbol.asyncIterator]();
  expect(yielded).toEqual([]);
  const first = await stream.next();
  expect(first.value).toMatchObject({ $typeName: "realmwire.v1.UpdateResponse", tick: 1 });
  await stream.next();
  expect(yielded).toEqual([1, 2]);
  expect(ended).toBe(0);
  await stream.return?.();
  expect(ended).toBe(1);
  expect((await stream.next()).done).toBe(true);
  expect(yielded).toEqual([1, 2]);
});

test("a transport that breaks ends the handler without telling it why", async () => {
  let ended = 0;
  const { handler } = ticks(() => (ended += 1));
  const { pipeline, log } = start({ update: handler });
  const stream = pipeline.serverStream(update, UPDATE, PLAYER)[Symbol.asyncIterator]();
  await stream.next();
  await expect(stream.throw?.(new Error("write EPIPE"))).rejects.toThrow("EPIPE");
  expect(ended).toBe(1);
  expect(log).toEqual([]);
});

test("an error in the middle of a stream is mapped like any other", async () => {
  const meant = new DomainError(ErrorReason.ZONE_STOPPED, "the zone ended", {
    metadata: { zone: "town" },
  });
  for (const [error, code] of [
    [meant, Code.Unavailable],
    [new Error("a bug"), Code.Internal],
  ] as const) {
    const { handler } = ticks(() => {}, 3, error);
    const { pipeline } = start({ update: handler });
    const stream = pipeline.serverStream(update, UPDATE, PLAYER)[Symbol.asyncIterator]();
    await stream.next();
    await stream.next();
    expect((await failureOf(stream.next())).code).toBe(code);
    expect((await stream.next()).done).toBe(true);
  }
});

test("a stream is admitted like any other call, when it is first read", async () => {
  const { yielded, handler } = ticks(() => {});
  const { pipeline } = start({ update: handler });
  const stream = pipeline.serverStream(update, UPDATE, contextWith())[Symbol.asyncIterator]();
  expect((await failureOf(stream.next())).detail.reason).toBe(ErrorReason.LOGIN_REQUIRED);
  expect(yielded).toEqual([]);
});

test("a handler that ends because its signal aborted gives its caller the reason", async () => {
  const controller = new AbortController();
  const { pipeline } = start({
    async *update(_, { signal }) {
      while (!signal.aborted) yield { tick: 1 };
    },
  });
  const context = { ...PLAYER, signal: controller.signal };
  const stream = pipeline.serverStream(update, UPDATE, context)[Symbol.asyncIterator]();
  await stream.next();
  controller.abort(new DomainError(ErrorReason.DRAINING, "the server is stopping"));
  expect(await failureOf(stream.next())).toMatchObject({
    code: Code.Unavailable,
    detail: { reason: ErrorReason.DRAINING },
  });
});

test("how calls went is told", async () => {
  const records: unknown[] = [];
  const observer = {
    onBegin: (name: string) => records.push(name),
    onEnd: (...record: unknown[]) => records.push(record.slice(0, 3)),
  };
  let time = 0;
  const { handler } = ticks(() => {});
  const { pipeline } = start(
    {
      version: () => {
        time += 5;
        return {};
      },
      update: handler,
    },
    { observer, now: () => time },
  );
  await pipeline.unary(version, VERSION, contextWith());
  await failureOf(pipeline.unary(move, MOVE, contextWith()));
  const stream = pipeline.serverStream(update, UPDATE, PLAYER)[Symbol.asyncIterator]();
  await stream.next();
  time += 100;
  await stream.return?.();
  expect(records).toEqual([
    "realmwire.v1.WorldService/Version",
    ["realmwire.v1.WorldService/Version", undefined, 5],
    "realmwire.v1.WorldService/Move",
    ["realmwire.v1.WorldService/Move", Code.Unauthenticated, 0],
    "realmwire.v1.WorldService/Update",
    ["realmwire.v1.WorldService/Update", Code.Canceled, 100],
  ]);
});

test("a service that comes twice, or has no rules, is refused at once", () => {
  const authenticator = createTokenTable();
  expect(() => createPipeline({ authenticator, services: [worldWith({}), worldWith({})] })).toThrow(
    /registered twice/,
  );
  expect(() =>
    createPipeline({ authenticator, services: [{ desc: Health, handlers: {} }] }),
  ).toThrow(/grpc\.health\.v1\.Health\/Check is infrastructure/);
});

test("each of several moves counts against the limit, which Move and Input share", async () => {
  let time = 0;
  const { pipeline } = start(
    {
      move: () => ({ moved: true }),
      input: messageSink(() => Promise.resolve({ take() {}, finish: () => ({}), close() {} })),
    },
    { now: () => time },
  );
  const kind = { case: "offset" as const, value: { x: 1 } };
  const batch = (count: number) =>
    create(MoveRequestSchema, { moves: Array.from({ length: count }, () => ({ kind })) });
  // The burst is 400. A batch that breaks its own rule counts, too.
  for (let call = 0; call < 11; call++) await pipeline.unary(move, batch(32), PLAYER);
  const invalid = await failureOf(pipeline.unary(move, batch(33), PLAYER));
  expect(invalid.detail.reason).toBe(ErrorReason.INVALID_FIELDS);
  const tooMany = await failureOf(pipeline.unary(move, batch(16), PLAYER));
  expect(tooMany).toMatchObject({
    code: Code.ResourceExhausted,
    detail: { reason: ErrorReason.TOO_MANY_CALLS, metadata: { limit: "200" } },
  });
  // 15 are left: one for the stream, and 14 moves.
  async function* inputs(count: number) {
    for (let sent = 0; sent < count; sent++) {
      yield create(InputRequestSchema, { moves: batch(1).moves });
    }
  }
  const { input } = WorldService.method;
  await pipeline.clientStream(input, inputs(14), PLAYER);
  expect((await failureOf(pipeline.clientStream(input, inputs(1), PLAYER))).detail).toMatchObject({
    reason: ErrorReason.TOO_MANY_CALLS,
    retryDelay: { nanos: 5_000_000 },
  });
  time += 10;
  expect((await failureOf(pipeline.clientStream(input, inputs(2), PLAYER))).code).toBe(
    Code.ResourceExhausted,
  );
});
