import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import {
  GetRequestSchema,
  type GetResponseSchema,
  UpdateRequestSchema,
  UpdateResponseSchema,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { DomainError } from "../../server/errors.ts";
import type { ReadyStream } from "../../server/rpc/pipeline/ready-stream.ts";
import type { EndCall } from "../../server/rpc/pipeline/message-sink.ts";
import { type Call, defineService, messageSink, readyStream } from "../../server/rpc/service.ts";
import { makeTestCertificate, trustCertificate } from "./certificate.ts";
import { describeGuild } from "./guild-service.ts";
import { type RpcServer, type RpcServerOptions, startRpcServer, worldWith } from "./rpc-server.ts";

/** The largest request that these servers read, in bytes. */
export const MAX_BYTES = 50_000;

/** What handlers saw. */
export interface Witness {
  /** Names of calls whose signal aborted, with the code of the reason. */
  readonly aborted: string[];
  /** Cursors of streams, once for each time that they were closed. */
  readonly closed: string[];
  /** Messages that streams were asked for and gave. */
  given: number;
  /** Messages that client streams were given. */
  taken: number;
  /** Calls that began to wait for the end of their signal. */
  waiting: number;
}

/** Two servers that differ only in whether calls take the short way. */
export interface TwoWays {
  readonly short: RpcServer & { readonly witness: Witness };
  readonly adapter: RpcServer & { readonly witness: Witness };
  /** The certificate of both, which this process trusts. */
  readonly cert: string;
  close(): Promise<void>;
}

/** The certificate of all of them. */
const certificate = makeTestCertificate();

/** Starts both, with calls for every kind of answer, and entrances with TLS and without. */
export async function startTwoWays(
  options: Omit<RpcServerOptions, "services" | "shortWay"> = {},
): Promise<TwoWays> {
  const { cert, key } = await certificate;
  trustCertificate(cert);
  const current = { cert: Buffer.from(cert), key: Buffer.from(key) };
  const start = async (shortWay: boolean) => {
    let time = 0;
    const witness: Witness = { aborted: [], closed: [], given: 0, taken: 0, waiting: 0 };
    const server = await startRpcServer({
      services: [oddWorld(witness), guild],
      ...options,
      port: { tls: { certificate: { current }, plaintext: true }, ...options.port },
      connect: { maxRequestBytes: MAX_BYTES, ...options.connect },
      // Every call comes a second after the one before: no limit is reached.
      pipeline: { now: () => (time += 1_000), ...options.pipeline },
      shortWay,
    });
    return Object.assign(server, { witness });
  };
  const [short, adapter] = await Promise.all([start(true), start(false)]);
  return {
    short,
    adapter,
    cert,
    async close() {
      await Promise.all([short.close(), adapter.close()]);
    },
  };
}

/** A request of `Get`, which is answered by what its name says. */
export function getBytes(name: string): Buffer {
  return Buffer.from(toBinary(GetRequestSchema, create(GetRequestSchema, { name })));
}

/** A request of `Update`, which is answered by what its cursor says. */
export function updateBytes(cursor: string): Buffer {
  return Buffer.from(toBinary(UpdateRequestSchema, create(UpdateRequestSchema, { cursor })));
}

const guild = defineService(describeGuild(), {
  whereAmI: () => ({ value: "here" }),
  disband: () => ({ value: "gone" }),
});

/** A world whose answers are told by its requests: `Get` by `name`, `Update` by `cursor`, `Input` by the `sequence` of a message's first move. */
function oddWorld(witness: Witness) {
  return worldWith({
    version: (_, call) => ({ protocol: "v1", game: call.session?.accountName ?? "nobody" }),
    get: ({ name }, call) => answer(name, call, witness),
    edit: () => ({ revision: 1 }),
    update: readyStream(({ cursor, once }, call) => open(cursor, once, call, witness)),
    input: messageSink((call, end) => openInput(call, end, witness)),
  });
}

async function answer(
  name: string,
  call: Call,
  witness: Witness,
): Promise<MessageInitShape<typeof GetResponseSchema>> {
  const [kind, value = ""] = name.split(":");
  switch (kind) {
    case "reason":
      throw domainError(Number(value) as ErrorReason);
    case "bug":
      throw new TypeError("the secret inside");
    case "connect":
      throw new ConnectError("as it is", Code.DataLoss, { "x-why": "so", "grpc-status": "0" });
    case "unwritable":
      throw new ConnectError("as it is", Code.DataLoss, { "x-why": "a\u0001b" });
    case "vary":
      throw new ConnectError("as it is", Code.DataLoss, { vary: "Accept" });
    case "surrogate":
      throw new ConnectError("half \ud800 a pair", Code.DataLoss);
    case "misfit":
      return { attributes: { a: { kind: { case: "intValue", value: "no number" as never } } } };
    case "wait":
      await untilAborted(call, value, witness);
      throw call.signal.reason;
    case "deaf":
      await new Promise((resolve) => setTimeout(resolve, Number(value)));
      return {};
    case "large":
      return { attributes: { a: stringValue("x".repeat(Number(value))) } };
    default:
      return { attributes: { name: stringValue(name) } };
  }
}

function stringValue(value: string) {
  return { kind: { case: "stringValue" as const, value } };
}

/** An error with all that can go along. */
function domainError(reason: ErrorReason): DomainError {
  return new DomainError(reason, `because of “${reason}” and 100 %`, {
    metadata: { name: "ada", "odd name": "ä\n" },
    violations: [{ field: "a.b[0]", description: "must be ≠ 0" }],
    retryDelayMs: 1_500,
  });
}

function untilAborted({ signal }: Call, name: string, witness: Witness): Promise<void> {
  const { aborted } = witness;
  witness.waiting += 1;
  return new Promise((resolve) => {
    const onAbort = () => {
      aborted.push(`${name} ${ConnectError.from(signal.reason).code}`);
      resolve();
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** What the messages of a client stream lead to: the `sequence` of the first move, to which a reason or milliseconds are added. */
export const INPUT = {
  refuse: 1_000,
  endInside: 2_000,
  bug: 3_000,
  waitMs: 4_000,
  forever: 6_000,
  bugAtEnd: 7_000,
  refuseAtEnd: 8_000,
  misfit: 9_000,
} as const;

/** A client stream; a builder's is not opened at all. */
async function openInput(call: Call, end: EndCall, witness: Witness) {
  if (call.session?.accountName === "builder") throw domainError(ErrorReason.NO_CHARACTER);
  let taken = 0;
  let last = 0;
  return {
    take({ moves }: { moves: readonly { sequence: number }[] }): void | Promise<void> {
      witness.taken += 1;
      taken += moves.length;
      last = moves[0]?.sequence ?? 0;
      const value = last % 1_000;
      switch (last - value) {
        case INPUT.refuse:
          throw domainError(value as ErrorReason);
        case INPUT.endInside:
          setTimeout(() => end(domainError(value as ErrorReason)), 20);
          return undefined;
        case INPUT.bug:
          throw new TypeError("the secret inside");
        case INPUT.waitMs:
          return new Promise((resolve) => setTimeout(resolve, value));
        case INPUT.forever:
          return new Promise(() => {});
        default:
          return undefined;
      }
    },
    async finish() {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (last === INPUT.bugAtEnd) throw new TypeError("the secret inside");
      if (last > INPUT.refuseAtEnd && last < INPUT.misfit) {
        throw domainError((last - INPUT.refuseAtEnd) as ErrorReason);
      }
      return { taken: last === INPUT.misfit ? ("no number" as never) : taken };
    },
    close: () => void witness.closed.push("input"),
  };
}

const FEW = 3;

async function open(
  cursor: string,
  once: boolean,
  call: Call,
  witness: Witness,
): Promise<ReadyStream> {
  const [kind, value = ""] = cursor.split(":");
  if (kind === "reason") throw domainError(Number(value) as ErrorReason);
  if (kind === "bug") throw new TypeError("the secret inside");
  if (kind === "late") await untilAborted(call, cursor, witness);
  const padding = kind === "large" || kind === "flood" ? "x".repeat(Number(value)) : "";
  let tick = 0;
  let wake: (() => void) | undefined;
  return {
    next() {
      if (kind === "bug-next" && tick === FEW) throw new TypeError("the secret inside");
      if (kind === "nothing" || kind === "broken") return undefined;
      if (tick >= FEW && kind !== "flood") return undefined;
      tick += 1;
      witness.given += 1;
      return toBinary(
        UpdateResponseSchema,
        create(UpdateResponseSchema, { tick, cursor: padding }),
      );
    },
    ended: () =>
      kind === "nothing" || (once && tick > 0) || (tick === FEW && /^(large)?$/.test(kind ?? "")),
    wait(ready, fail) {
      if (kind === "fail" || kind === "broken") fail(domainError(Number(value) as ErrorReason));
      else if (kind === "bug-ready") throw new TypeError("the secret inside");
      else wake = ready;
    },
    close() {
      witness.closed.push(cursor);
      wake?.();
      if (kind === "bug-close") throw new TypeError("the secret inside");
    },
  };
}
