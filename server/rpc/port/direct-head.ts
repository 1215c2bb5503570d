/** The largest head that is read here, in bytes. */
export const MAX_DIRECT_HEAD_BYTES = 4_096;
/** The largest body, in bytes. */
export const MAX_DIRECT_BODY_BYTES = 65_536;

/** The head of a request of HTTP/1.1 in plain form. */
export interface DirectHead {
  readonly method: "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How long the head is, with the empty line behind it. */
  readonly headBytes: number;
  readonly bodyBytes: number;
}

const REQUEST_LINE = /^POST (\/[\w./-]+) HTTP\/1\.1$/;
/** A name of token characters that begins with a letter, a colon, and a value of visible letters and single spaces between them. */
const FIELD = /^([A-Za-z][\w-]*): ?([!-~]+(?: [!-~]+)*)$/;
/** Fields that say how a message is to be read or a connection used, and one that Node's parser makes a list of. Whoever sends them has that parser. */
const UNUSUAL = new Set([
  ...["transfer-encoding", "te", "trailer", "upgrade", "expect", "http2-settings"],
  ...["proxy-connection", "keep-alive", "set-cookie"],
]);

/**
 * Reads the head with which a piece of a connection begins, if it is in the plainest form that RFC 9112 knows: `POST`, a bare path, each field once and on
 * one line, a `host`, a `content-length`, and nothing about connections but that they stay. Undefined for anything else, be it
 * unusual, broken or not complete. So this reader refuses nothing and repairs nothing, and it cannot understand a request in another way than Node's parser does.
 */
export function readDirectHead(piece: Buffer): DirectHead | undefined {
  const text = piece.toString("latin1", 0, Math.min(piece.length, MAX_DIRECT_HEAD_BYTES));
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const url = REQUEST_LINE.exec(first)?.[1];
  if (url === undefined) return undefined;
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const line of lines) {
    const [, name = "", value = ""] = FIELD.exec(line) ?? [];
    const key = name.toLowerCase();
    if (key === "" || key in headers || UNUSUAL.has(key)) return undefined;
    headers[key] = value;
  }
  const { host, connection = "keep-alive", "content-length": length = "" } = headers;
  if (host === undefined || connection.toLowerCase() !== "keep-alive") return undefined;
  if (!/^(?:0|[1-9]\d{0,5})$/.test(length) || Number(length) > MAX_DIRECT_BODY_BYTES) {
    return undefined;
  }
  return { method: "POST", url, headers, headBytes: end + 4, bodyBytes: Number(length) };
}
