import { cors } from "@connectrpc/connect";
import { REQUEST_ID_HEADER } from "./pipeline/request-id.ts";

/** How long a browser may remember the answer to a preflight, in seconds. Chromium cuts it at two hours. */
export const PREFLIGHT_MAX_AGE_S = 7_200;

const ALLOWED_METHODS = cors.allowedMethods.join(", ");
const ALLOWED_HEADERS = [...cors.allowedHeaders, "Authorization", REQUEST_ID_HEADER].join(", ");
const EXPOSED_HEADERS = [...cors.exposedHeaders, REQUEST_ID_HEADER].join(", ");

/** Which web pages may call the server: all, or those of these origins, such as `https://example.org`. */
export type AllowedOrigins = "*" | readonly string[];

/**
 * The headers that an answer to a page of this origin carries. Empty when the origin may not call: the browser then keeps the answer from the page.
 * Credentials are never allowed: who calls is told by the `authorization` header alone, which no browser adds by itself.
 */
export function corsHeaders(origin: string, allowed: AllowedOrigins): Record<string, string> {
  if (allowed === "*") {
    return {
      "access-control-allow-origin": "*",
      "access-control-expose-headers": EXPOSED_HEADERS,
    };
  }
  if (!allowed.includes(origin)) return { vary: "Origin" };
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": EXPOSED_HEADERS,
    vary: "Origin",
  };
}

/** The headers that the answer to a preflight carries besides. */
export function preflightHeaders(): Record<string, string> {
  return {
    "access-control-allow-methods": ALLOWED_METHODS,
    "access-control-allow-headers": ALLOWED_HEADERS,
    "access-control-max-age": String(PREFLIGHT_MAX_AGE_S),
  };
}
