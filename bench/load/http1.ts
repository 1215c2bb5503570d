import { createReassembler } from "./reassembler.ts";

/** What a connection's answers are told to. */
export interface Http1Events {
  onHead(status: number): void;
  onBody(part: Buffer): void;
  onEnd(): void;
}

type State =
  | { readonly kind: "head" }
  | { readonly kind: "sized"; left: number }
  | { readonly kind: "chunked" };

const HEAD_END = "\r\n\r\n";
const LINE_BYTES = 2;

/** Reads answers of HTTP/1.1, one after the other: just what the candidates send. */
export function createHttp1Reader(events: Http1Events): (chunk: Buffer) => void {
  let state: State = { kind: "head" };

  function readHead(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(HEAD_END, at, "latin1");
    if (end < 0) return -1;
    const head = bytes.toString("latin1", at, end).toLowerCase();
    events.onHead(Number(head.slice("http/1.1 ".length, "http/1.1 200".length)));
    const length = /\ncontent-length: *(\d+)/.exec(head)?.[1];
    if (length === undefined) state = { kind: "chunked" };
    else becomeSized(Number(length));
    return end + HEAD_END.length;
  }

  function becomeSized(left: number): void {
    state = { kind: "sized", left };
    if (left === 0) finish();
  }

  function finish(): void {
    state = { kind: "head" };
    events.onEnd();
  }

  function readSized(sized: { left: number }, bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + sized.left);
    events.onBody(bytes.subarray(at, end));
    sized.left -= end - at;
    if (sized.left === 0) finish();
    return end;
  }

  /** One whole chunk, or -1 while a part of it is missing. */
  function readChunk(bytes: Buffer, at: number): number {
    const line = bytes.indexOf("\r\n", at, "latin1");
    if (line < 0) return -1;
    const size = Number.parseInt(bytes.toString("latin1", at, line), 16);
    const begin = line + LINE_BYTES;
    const end = begin + size;
    if (end + LINE_BYTES > bytes.length) return -1;
    if (size === 0) finish();
    else events.onBody(bytes.subarray(begin, end));
    return end + LINE_BYTES;
  }

  return createReassembler((bytes) => {
    let at = 0;
    while (at < bytes.length) {
      let next: number;
      if (state.kind === "head") next = readHead(bytes, at);
      else if (state.kind === "sized") next = readSized(state, bytes, at);
      else next = readChunk(bytes, at);
      if (next < 0) break;
      at = next;
    }
    return at;
  });
}

/** The head of a POST up to the number of bytes, which follows for each request. */
export function createPostHead(path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ host: "127.0.0.1", ...headers }).map(([k, v]) => `${k}: ${v}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join("")}content-length: `;
}

/** A whole POST. */
export function createPost(head: string, body: Uint8Array): Buffer {
  const text = `${head}${body.length}\r\n\r\n`;
  const bytes = Buffer.allocUnsafe(text.length + body.length);
  bytes.write(text, "latin1");
  bytes.set(body, text.length);
  return bytes;
}
