import { once } from "node:events";
import net, { type Socket } from "node:net";
import tls from "node:tls";
import { TOKENS } from "./rpc-server.ts";

/** A connection to a server of this machine, on which requests are written by hand. */
export async function openSocket(
  port: number,
  { secured = false, allowHalfOpen = false } = {},
): Promise<Socket> {
  const to = { port, host: "127.0.0.1", noDelay: true, allowHalfOpen };
  const socket = secured ? tls.connect(to) : net.connect(to);
  socket.on("error", () => {});
  await once(socket, secured ? "secureConnect" : "connect");
  return socket;
}

/** A player's request of HTTP/1.1, with its length. `more` are further lines of its head, each with its end. */
export function http1Request(path: string, type: string, body: Uint8Array, more = ""): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    "Host: x",
    `Content-Type: ${type}`,
    `Authorization: Bearer ${TOKENS.player}`,
    `Content-Length: ${body.length}`,
    `${more}\r\n`,
  ].join("\r\n");
  return Buffer.concat([Buffer.from(head), body]);
}

/** All that comes from a socket until it is closed, or until it matches. Without dates. */
export async function readUntil(socket: Socket, pattern?: RegExp): Promise<string> {
  let text = "";
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      text += (chunk as Buffer).toString("latin1");
      if (pattern?.test(text)) break;
    }
  } catch (error) {
    text += String((error as NodeJS.ErrnoException).code);
  }
  return text.replaceAll(/Date: .*\r\n/g, "");
}

/** An answer of HTTP/1.1 as it stands on a connection. */
export interface RawAnswer {
  /** Its first line and its fields, to the letter. Only the date is left out. */
  readonly head: readonly string[];
  readonly status: number;
  /** The body, a letter for each byte, whichever way it was transferred. */
  readonly body: string;
}

/** Reads so many answers from a socket, or fewer when it is closed before. */
export async function readAnswers(socket: Socket, count: number): Promise<RawAnswer[]> {
  const answers: RawAnswer[] = [];
  let text = "";
  let waiting: Buffer[] = [];
  let missing = 1;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    waiting.push(chunk as Buffer);
    missing -= (chunk as Buffer).length;
    // Put together only when it may be whole: a large one comes in very many.
    if (missing > 0) continue;
    text += Buffer.concat(waiting).toString("latin1");
    waiting = [];
    let read = readAnswer(text);
    for (; read.answer; read = readAnswer(text)) {
      answers.push(read.answer);
      text = text.slice(read.length);
    }
    missing = read.length - text.length;
    if (answers.length >= count) break;
  }
  if (answers.length > count || text !== "") throw new Error(`too much came: ${text}`);
  return answers;
}

/** The first answer of a text, and its length; without an answer, the least length that it can have. */
function readAnswer(text: string): { answer?: RawAnswer; length: number } {
  const unfinished = { length: text.length + 1 };
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return unfinished;
  const lines = text.slice(0, end).split("\r\n");
  const head = lines.filter((line) => !line.startsWith("Date: "));
  const start = end + 4;
  const [, status = ""] = /^HTTP\/1\.1 (\d{3}) /.exec(text) ?? [];
  const answer = (body: string, length: number) => ({
    answer: { head, status: Number(status), body },
    length,
  });
  if (status === "204") return answer("", start);
  const [, size] = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end)) ?? [];
  if (size !== undefined) {
    const length = start + Number(size);
    return text.length < length ? { length } : answer(text.slice(start, length), length);
  }
  let body = "";
  for (let at = start; ;) {
    const [line, digits = ""] = /^([\da-f]+)\r\n/.exec(text.slice(at, at + 20)) ?? [];
    const next = at + (line?.length ?? 0) + Number.parseInt(digits, 16) + 2;
    if (line === undefined || text.length < next) return unfinished;
    body += text.slice(at + line.length, next - 2);
    if (digits === "0") return answer(body, next);
    at = next;
  }
}
