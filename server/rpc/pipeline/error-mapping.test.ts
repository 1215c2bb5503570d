import { readFileSync } from "node:fs";
import { Code, ConnectError } from "@connectrpc/connect";
import { codeFromString, codeToString } from "@connectrpc/connect/protocol-connect";
import { expect, test } from "vitest";
import {
  ErrorDetailSchema,
  ErrorReason,
  ErrorReasonSchema,
} from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { createMemoryLog } from "../../../test/support/rpc-server.ts";
import { DomainError } from "../../errors.ts";
import { codeOf, createErrorMapper } from "./error-mapping.ts";

const LIVE = inContext(new AbortController().signal);

function inContext(signal: AbortSignal) {
  return { name: "test/Call", context: { signal, requestId: "id-1" } };
}

function outgoing(error: ConnectError): unknown {
  const [detail] = error.details;
  if (detail === undefined || !("desc" in detail)) return undefined;
  expect(detail.desc).toBe(ErrorDetailSchema);
  return detail.value;
}

test("each reason has the code that its comment in error.proto promises", () => {
  const proto = readFileSync(
    new URL("../../../proto/realmwire/v1/error.proto", import.meta.url),
    "utf8",
  );
  const promised = new Map(
    [...proto.matchAll(/\/\/ ([a-z_]+): .*\n(?: *\/\/.*\n)* *(ERROR_REASON_\w+) =/g)].map(
      (match) => [match[2], match[1]],
    ),
  );
  for (const { name, number } of ErrorReasonSchema.values) {
    if (number === ErrorReason.UNSPECIFIED) continue;
    const word = promised.get(name);
    expect(word, `${name} has no code in its comment`).toBeDefined();
    expect(codeOf(number as ErrorReason), name).toBe(codeFromString(word ?? ""));
  }
});

test("a DomainError carries its reason, metadata, violations and delay, and not its cause", () => {
  const { logger, lines } = createMemoryLog();
  const cause = new Error("password=secret refused by db-7");
  const error = createErrorMapper(logger)(
    new DomainError(ErrorReason.STORE_UNAVAILABLE, "the store is away", {
      metadata: { zone: "town" },
      violations: [{ field: "x", description: "too big" }],
      retryDelayMs: 1500,
      cause,
    }),
    LIVE,
  );
  expect(error.code).toBe(Code.Unavailable);
  expect(error.rawMessage).toBe("the store is away");
  expect(error.cause).toBeUndefined();
  expect(outgoing(error)).toEqual({
    reason: ErrorReason.STORE_UNAVAILABLE,
    metadata: { zone: "town" },
    violations: [{ field: "x", description: "too big" }],
    retryDelay: expect.objectContaining({ seconds: 1n, nanos: 500_000_000 }),
  });
  expect(lines).toHaveLength(1);
  expect(lines[0]?.level).toBe("warn");
});

test("an error that nobody meant is logged and not sent", () => {
  const { logger, lines } = createMemoryLog();
  const mapError = createErrorMapper(logger);
  const cause = new TypeError("undefined is not a function");
  for (const unknown of [
    cause,
    "a string",
    new DomainError(ErrorReason.UNSPECIFIED, "no reason"),
  ]) {
    const error = mapError(unknown, LIVE);
    expect(error.code).toBe(Code.Internal);
    expect(error.rawMessage).toBe("internal error");
    expect(error.details).toEqual([]);
    expect(error.cause).toBeUndefined();
  }
  expect(lines.map((line) => line.level)).toEqual(["error", "error", "error"]);
  expect(lines[0]?.fields).toEqual({ err: cause, call: "test/Call", requestId: "id-1" });
});

test("a ConnectError that is nobody's refusal stays as it is", () => {
  const { logger, lines } = createMemoryLog();
  const error = new ConnectError("no", Code.DataLoss);
  expect(createErrorMapper(logger)(error, LIVE)).toBe(error);
  expect(lines).toEqual([]);
});

test("a transport's refusal gets its reason, and a request that is no Protobuf the code of a wrong one", () => {
  const mapError = createErrorMapper(createMemoryLog().logger);
  const explained = (message: string, code: Code) => {
    const error = mapError(new ConnectError(message, code), LIVE);
    return [codeToString(error.code), outgoing(error)];
  };
  expect(explained("parse binary: illegal tag", Code.Internal)).toEqual([
    "invalid_argument",
    { reason: ErrorReason.MALFORMED },
  ]);
  expect(explained("protocol error: incomplete envelope", Code.InvalidArgument)).toEqual([
    "invalid_argument",
    { reason: ErrorReason.MALFORMED },
  ]);
  expect(
    explained(
      "message size 2000 is larger than configured readMaxBytes 1024",
      Code.ResourceExhausted,
    ),
  ).toEqual([
    "resource_exhausted",
    { reason: ErrorReason.MESSAGE_TOO_LARGE, metadata: { limit: "1024" } },
  ]);
  expect(explained("unknown compression", Code.Unimplemented)).toEqual([
    "unimplemented",
    { reason: ErrorReason.UNSUPPORTED },
  ]);
  expect(explained("too late", Code.DeadlineExceeded)).toEqual([
    "deadline_exceeded",
    { reason: ErrorReason.DEADLINE_PASSED },
  ]);
  expect(explained("serialize binary: a bug", Code.Internal)).toEqual(["internal", undefined]);
});

test("the end of a call's signal becomes its reason, and another error after it stays an error", () => {
  const { logger, lines } = createMemoryLog();
  const mapError = createErrorMapper(logger);
  const after = (reason: unknown, error?: unknown) => {
    const controller = new AbortController();
    controller.abort(reason);
    return mapError(error ?? controller.signal.reason, inContext(controller.signal));
  };
  const abortError = Object.assign(new Error("The operation was aborted"), { name: "AbortError" });
  const deadline = new ConnectError("too late", Code.DeadlineExceeded);
  expect(after(undefined).code).toBe(Code.Canceled);
  expect(after(deadline, abortError)).toMatchObject({
    code: deadline.code,
    rawMessage: "too late",
  });
  expect(after(new DomainError(ErrorReason.DRAINING, "stopping"), abortError).code).toBe(
    Code.Unavailable,
  );
  expect(lines).toEqual([]);
  expect(after(undefined, new Error("a bug")).code).toBe(Code.Internal);
  expect(mapError(abortError, LIVE).code).toBe(Code.Internal);
  expect(lines.map((line) => line.level)).toEqual(["error", "error"]);
});
