import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { REQUEST_ID_HEADER } from "../../server/rpc/pipeline/request-id.ts";

/** A protocol over a version of HTTP, as a client speaks it by hand. */
export interface Wire {
  readonly name: string;
  readonly http: 1 | 2;
  /** Whether it is spoken inside TLS. */
  readonly secured: boolean;
  readonly contentType: string;
  /** Whether messages stand in envelopes. */
  readonly enveloped: boolean;
  /** The header for a timeout, and what it holds for some milliseconds. */
  readonly timeoutHeader: string;
  readonly timeoutValue: (ms: number) => string;
  /** The header that names the compression of messages, and the one that names what is accepted. */
  readonly encodingHeader: string;
  readonly acceptHeader: string;
}

const connect = {
  timeoutHeader: "connect-timeout-ms",
  timeoutValue: (ms: number) => String(ms),
};
const connectUnary = {
  ...connect,
  contentType: "application/proto",
  enveloped: false,
  encodingHeader: "content-encoding",
  acceptHeader: "accept-encoding",
};
const connectStream = {
  ...connect,
  contentType: "application/connect+proto",
  enveloped: true,
  encodingHeader: "connect-content-encoding",
  acceptHeader: "connect-accept-encoding",
};
const grpc = {
  enveloped: true,
  timeoutHeader: "grpc-timeout",
  timeoutValue: (ms: number) => `${ms}m`,
  encodingHeader: "grpc-encoding",
  acceptHeader: "grpc-accept-encoding",
};

/** A wire in each way in which it can come in: over either version of HTTP that it can use, without TLS and with it. */
function overEach(
  name: string,
  wire: Omit<Wire, "name" | "http" | "secured">,
  versions: readonly (1 | 2)[],
): Wire[] {
  return [false, true].flatMap((secured) =>
    versions.map((version) => ({
      ...wire,
      name: `${name} over ${HTTP_NAMES[version][secured ? "secured" : "plain"]}`,
      http: version,
      secured,
    })),
  );
}

const HTTP_NAMES = {
  1: { plain: "HTTP/1.1", secured: "HTTP/1.1 with TLS" },
  2: { plain: "h2c", secured: "h2" },
};

const grpcWires: readonly Wire[] = [
  ...overEach("gRPC", { ...grpc, contentType: "application/grpc+proto" }, [2]),
  ...overEach("gRPC-Web", { ...grpc, contentType: "application/grpc-web+proto" }, [1, 2]),
];

/** All that a unary call can be made with. */
export const UNARY_WIRES: readonly Wire[] = [
  ...overEach("Connect", connectUnary, [1, 2]),
  ...grpcWires,
];

/** All that a streaming call can be made with. */
export const STREAM_WIRES: readonly Wire[] = [
  ...overEach("Connect", connectStream, [1, 2]),
  ...grpcWires,
];

/** A server that takes both connections with TLS and without. */
export interface BothEntrances {
  readonly url: string;
  readonly securedUrl: string;
}

/** Where a wire comes in. */
export function urlFor({ url, securedUrl }: BothEntrances, { secured }: Pick<Wire, "secured">) {
  return secured ? securedUrl : url;
}

/** A request over HTTP/1.1, with TLS where its URL says so. */
export function requestHttp1(url: string, options: http.RequestOptions): http.ClientRequest {
  return url.startsWith("https:") ? https.request(url, options) : http.request(url, options);
}

/** A request, to the byte. */
export interface WireRequest {
  readonly http: 1 | 2;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** The body; its pieces are sent one by one. */
  readonly body?: Uint8Array | readonly Uint8Array[];
  /** Whether the body has an end. Default: yes. */
  readonly ends?: boolean;
}

/** An envelope in a body, its data as far as it can be read. */
export interface WirePart {
  readonly flags: number;
  readonly data: unknown;
}

/** All of an answer that a client can see, but for its date and how it was transferred. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  readonly trailers: Readonly<Record<string, unknown>>;
}

/** Puts data into an envelope. */
export function inEnvelope(data: Uint8Array, flags = 0, size = data.length): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(size, 1);
  return Buffer.concat([head, data]);
}

/** Makes a request and reads its whole answer. What breaks off is answered by why it did. */
export async function callByHand(
  baseUrl: string,
  request: WireRequest,
): Promise<WireAnswer | { readonly brokeOff: string }> {
  try {
    return await (request.http === 1 ? callHttp1(baseUrl, request) : callHttp2(baseUrl, request));
  } catch (error) {
    return { brokeOff: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
}

/** Names every call the same, or else errors would differ in that. */
export const CALL_ID = { [REQUEST_ID_HEADER]: "wire" };

/** How long an answer may take, in milliseconds. */
const PATIENCE_MS = 5_000;

async function callHttp1(baseUrl: string, request: WireRequest): Promise<WireAnswer> {
  const { method = "POST", path, headers } = request;
  const sent = requestHttp1(`${baseUrl}${path}`, {
    method,
    headers: { ...CALL_ID, ...headers },
    agent: false,
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const answered = once(sent, "response") as Promise<[http.IncomingMessage]>;
  answered.catch(() => {});
  sent.on("error", () => {});
  await send(sent, request);
  const [answer] = await answered;
  const bytes = await readAll(answer);
  sent.destroy();
  return seen(answer.statusCode ?? 0, answer.headers, bytes, answer.trailers);
}

async function callHttp2(baseUrl: string, request: WireRequest): Promise<WireAnswer> {
  const { method = "POST", path, headers } = request;
  const session = http2.connect(baseUrl);
  session.on("error", () => {});
  try {
    const stream = session.request(
      { ":method": method, ":path": path, ...CALL_ID, ...headers },
      { endStream: false, signal: AbortSignal.timeout(PATIENCE_MS) },
    );
    stream.on("error", () => {});
    let trailers: http2.IncomingHttpHeaders = {};
    stream.on("trailers", (received) => (trailers = received));
    const closed = once(stream, "close").then(() => {
      throw new Error(`the stream was reset with ${stream.rstCode}`);
    });
    closed.catch(() => {});
    const answered = Promise.race([
      once(stream, "response") as Promise<[http2.IncomingHttpHeaders]>,
      closed,
    ]);
    answered.catch(() => {});
    await send(stream, request);
    const [{ ":status": status, ...rest }] = await answered;
    const bytes = await readAll(stream);
    return seen(Number(status), rest, bytes, trailers);
  } finally {
    session.destroy();
  }
}

async function send(
  to: NodeJS.WritableStream,
  { body = [], ends = true }: WireRequest,
): Promise<void> {
  const pieces = body instanceof Uint8Array ? [body] : body;
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await sleep(1);
    to.write(piece);
  }
  if (ends) to.end();
}

async function readAll(from: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of from) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const TRANSFER_HEADERS = new Set([
  "date",
  "connection",
  "keep-alive",
  "transfer-encoding",
  "content-length",
]);

function seen(
  status: number,
  headers: object,
  bytes: Buffer,
  trailers: NodeJS.Dict<unknown>,
): WireAnswer {
  const kept = Object.entries(headers).filter(([name]) => !TRANSFER_HEADERS.has(name));
  const type = String((headers as Record<string, unknown>)["content-type"]);
  return {
    status,
    headers: Object.fromEntries(kept),
    body: readBody(type, bytes),
    trailers: { ...trailers },
  };
}

function readBody(type: string, bytes: Buffer): unknown {
  if (type === "application/json") return JSON.parse(bytes.toString());
  if (type === "application/proto") return bytes.toString("hex");
  if (/^application\/(connect|grpc|grpc-web)(\+proto|\+json)?$/.test(type)) return readParts(bytes);
  return bytes.toString();
}

/** The envelopes of a body. Throws when the body ends within one. */
export function readParts(bytes: Buffer): WirePart[] {
  const parts: WirePart[] = [];
  let at = 0;
  while (at < bytes.length) {
    const size = bytes.readUInt32BE(at + 1);
    const data = bytes.subarray(at + 5, at + 5 + size);
    if (data.length < size) throw new Error("a body ends within an envelope");
    parts.push({ flags: bytes[at] as number, data: readPart(bytes[at] as number, data) });
    at += 5 + size;
  }
  return parts;
}

function readPart(flags: number, data: Buffer): unknown {
  if (flags === 2) return JSON.parse(data.toString());
  if (flags !== 0x80) return data.toString("hex");
  const lines = data.toString().split("\r\n").filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split(": ", 2) as [string, string]));
}

/** What came of a call, in whatever protocol: `ok`, the number of its code, or the HTTP status. */
export function outcomeOf(answer: WireAnswer | { readonly brokeOff: string }): string {
  if ("brokeOff" in answer) return answer.brokeOff;
  const { body, status, trailers } = answer;
  const last = Array.isArray(body) ? (body.at(-1) as WirePart | undefined) : undefined;
  if (last?.flags === 2) return (last.data as { error?: { code: string } }).error?.code ?? "ok";
  const end = last?.flags === 0x80 ? (last.data as Record<string, string>) : trailers;
  const code = end["grpc-status"];
  if (code !== undefined) return CODE_NAMES[Number(code)] ?? `code ${Number(code)}`;
  if (typeof body === "object" && body !== null && "code" in body) return String(body.code);
  return status === 200 ? "ok" : String(status);
}

const CODE_NAMES = [
  ...["ok", "canceled", "unknown", "invalid_argument", "deadline_exceeded", "not_found"],
  ...["already_exists", "permission_denied", "resource_exhausted", "failed_precondition"],
  ...["aborted", "out_of_range", "unimplemented", "internal", "unavailable", "data_loss"],
  "unauthenticated",
];
