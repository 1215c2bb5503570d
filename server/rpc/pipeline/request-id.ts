import { randomUUID } from "node:crypto";
import { ConnectError } from "@connectrpc/connect";

/** The header that names a call: a proxy or a client may set it, and answers with an error have it. */
export const REQUEST_ID_HEADER = "x-request-id";

/** The longest id that is taken over from a caller, in characters. */
export const MAX_REQUEST_ID_LENGTH = 128;

// What proxies and clients commonly make: UUIDs, hexadecimal, base64. Nothing that a log or a header could stumble over.
const WELL_FORMED = /^[\w.:+/=@-]+$/;

/** The id of a call: what the header says if that is well-formed, else a new one. */
export function requestIdOf(header: string | string[] | null | undefined): string {
  const isGiven =
    typeof header === "string" &&
    header.length <= MAX_REQUEST_ID_LENGTH &&
    WELL_FORMED.test(header);
  return isGiven ? header : randomUUID();
}

/** The same error with the id of its call in what is sent. The one given may be that of several calls, so it is left alone. */
export function withRequestId(error: ConnectError, requestId: string): ConnectError {
  const metadata = new Headers(error.metadata);
  metadata.set(REQUEST_ID_HEADER, requestId);
  const tagged = new ConnectError(error.rawMessage, error.code, metadata, undefined, error.cause);
  tagged.details = error.details;
  return tagged;
}
