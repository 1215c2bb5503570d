import { create, type DescMethod, type Message } from "@bufbuild/protobuf";
import type {
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import {
  type ErrorDetail,
  ErrorDetailSchema,
  ErrorReason,
} from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import { callRows } from "../../../scripts/access-matrix.ts";
import { loadRuledTypes } from "../../../scripts/generated-files.ts";
import { createMemoryLog, createTokenTable, sessionOf } from "../../../test/support/rpc-server.ts";
import type { CallContext } from "./admission.ts";
import { createPipeline, type Pipeline } from "./pipeline.ts";

const { services } = await loadRuledTypes();
const rows = callRows(services).map((row) => ({ name: row.method.name, ...row }));

/** Everybody whose token is a name is an admin of that name. */
const authenticator = {
  ...createTokenTable(),
  authenticate: (token: unknown) => Promise.resolve(sessionOf(1, String(token), Role.ADMIN)),
};

function start() {
  let time = 0;
  const pipeline = createPipeline({
    authenticator,
    // Nobody carries the calls out: who is let in is told that, or what is wrong with the request.
    services: services.map((desc) => ({ desc, handlers: {} })),
    logger: createMemoryLog().logger,
    now: () => time,
  });
  pipeline.start();
  return { pipeline, pass: (ms: number) => void (time += ms) };
}

function contextOf(token: string, peer: string): CallContext {
  const { signal } = new AbortController();
  return { authorization: `Bearer ${token}`, peer, requestId: "request-1", signal };
}

function make(pipeline: Pipeline, method: DescMethod, context: CallContext): Promise<unknown> {
  const request: Message = create(method.input);
  switch (method.methodKind) {
    case "unary":
      return pipeline.unary(method as DescMethodUnary, request, context);
    case "client_streaming": {
      const nothing = (async function* (): AsyncGenerator<Message> {})();
      return pipeline.clientStream(method as DescMethodClientStreaming, nothing, context);
    }
    default: {
      const answers = pipeline.serverStream(method as DescMethodServerStreaming, request, context);
      return answers[Symbol.asyncIterator]().next();
    }
  }
}

/** The refusal for too many calls; undefined: it was let in. */
async function refusalOf(call: Promise<unknown>): Promise<ErrorDetail | undefined> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConnectError) || error.code !== Code.ResourceExhausted) return undefined;
  const [detail] = error.details;
  const isOutgoing = detail !== undefined && "desc" in detail;
  return isOutgoing ? create(ErrorDetailSchema, detail.value as ErrorDetail) : undefined;
}

test.each(rows)(
  "$name lets in what its limit says, for each session or address, and says when to come back",
  async ({ method, access }) => {
    const { pipeline, pass } = start();
    const isAnonymous = access.role === Role.ANONYMOUS;
    const caller = contextOf("ada", "192.0.2.1");
    // The same session from elsewhere, and another one from the same address: which of them counts as another depends on the call.
    const moved = contextOf("ada", "192.0.2.2");
    const neighbour = contextOf("bob", "192.0.2.1");
    const [same, other] = isAnonymous ? [neighbour, moved] : [moved, neighbour];
    for (let i = 0; i < access.burst; i++) {
      expect(await refusalOf(make(pipeline, method, i % 2 === 0 ? caller : same))).toBeUndefined();
    }
    const refusal = await refusalOf(make(pipeline, method, caller));
    expect(refusal).toMatchObject({
      reason: ErrorReason.TOO_MANY_CALLS,
      metadata: { limit: String(access.perSecond) },
    });
    expect(await refusalOf(make(pipeline, method, same))).toBeDefined();
    expect(await refusalOf(make(pipeline, method, other))).toBeUndefined();
    const { seconds = 0n, nanos = 0 } = refusal?.retryDelay ?? {};
    const waitMs = Number(seconds) * 1000 + nanos / 1e6;
    expect(waitMs).toBeGreaterThan(0);
    pass(waitMs - 1);
    expect(await refusalOf(make(pipeline, method, caller))).toBeDefined();
    pass(1);
    expect(await refusalOf(make(pipeline, method, caller))).toBeUndefined();
  },
);
