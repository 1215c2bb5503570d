import type { ServerResponse } from "node:http";
import { type ConnectHandler, passOverRest } from "./transport/connect-adapter.ts";
import { type AllowedOrigins, corsHeaders, preflightHeaders } from "./cors.ts";
import type { DirectHandler } from "./transport/direct-answer.ts";
import { landingPage, notFoundPage } from "./pages.ts";
import {
  pathOf,
  type PortRequest,
  type PortResponse,
  sendPlain,
} from "./transport/plain-answer.ts";

/** What the server answers at a path besides calls, such as `/metrics`. */
export type PageHandler = (request: PortRequest, response: PortResponse) => void;

/** Options of {@link createFront}. */
export interface FrontOptions {
  /** The name of the game that runs. */
  readonly game: string;
  readonly calls: ConnectHandler;
  /** Whether the server wants new calls: what `/readyz` answers. */
  readonly ready: () => boolean;
  /** Default: `*`. */
  readonly allowedOrigins?: AllowedOrigins;
  /** Further pages by their path. A path that ends in `/` stands for all below it; the longest counts. `/` itself replaces the landing page only. */
  readonly pages?: Readonly<Record<string, PageHandler>>;
}

/** Decides what answers a request: a call, a page, a health check, or a text that helps. It is the handler of a port. */
export function createFront(options: FrontOptions): PageHandler {
  const { calls } = options;
  const allowedOrigins = options.allowedOrigins ?? "*";
  const pageAt = createPageFinder(options);

  return (request, response) => {
    const { origin } = request.headers;
    if (origin !== undefined) {
      for (const [name, value] of Object.entries(corsHeaders(origin, allowedOrigins))) {
        response.setHeader(name, value);
      }
      if (request.method === "OPTIONS") return sendPreflight(response);
    }
    const path = pathOf(request);
    if (calls.serves(path)) return calls.handle(request, response);
    // What is sent along is nobody's business.
    passOverRest(request, response, false);
    const page = pageAt(path);
    if (page === undefined)
      return sendPlain(request, response, 404, notFoundPage(path, calls.services));
    page(request, response);
  };
}

/** Puts what pages of other origins need to read an answer before calls that are answered without Node's HTTP server. */
export function createDirectFront(
  direct: DirectHandler,
  allowedOrigins: AllowedOrigins = "*",
): DirectHandler {
  return (head) => {
    const call = direct(head);
    const { origin } = head.headers;
    if (call === undefined || origin === undefined) return call;
    const headers = corsHeaders(origin, allowedOrigins);
    return (body) => {
      const run = call(body);
      return (
        run &&
        ((answer) => {
          answer.headers = headers;
          run(answer);
        })
      );
    };
  };
}

function createPageFinder(options: FrontOptions): (path: string) => PageHandler | undefined {
  const pages = new Map<string, PageHandler>([
    ["/healthz", (request, response) => sendPlain(request, response, 200, "ok\n")],
    [
      "/readyz",
      (request, response) =>
        options.ready()
          ? sendPlain(request, response, 200, "ready\n")
          : sendPlain(request, response, 503, "not ready\n"),
    ],
    ["/", (request, response) => sendLanding(request, response, options)],
    ...Object.entries(options.pages ?? {}),
  ]);
  const folders = [...pages.keys()]
    .filter((path) => path.length > 1 && path.endsWith("/"))
    .sort((a, b) => b.length - a.length);
  return (path) =>
    pages.get(path) ?? pages.get(folders.find((folder) => path.startsWith(folder)) ?? "");
}

function sendPreflight(response: PortResponse): void {
  for (const [name, value] of Object.entries(preflightHeaders())) response.setHeader(name, value);
  response.statusCode = 204;
  (response as ServerResponse).end();
}

function sendLanding(request: PortRequest, response: PortResponse, options: FrontOptions): void {
  const asHtml = request.headers.accept?.includes("text/html") ?? false;
  const host = hostOf(request);
  const secured = "encrypted" in request.socket && request.socket.encrypted;
  const { game, calls } = options;
  const page = landingPage({ game, host, secured, services: calls.services, asHtml });
  sendPlain(
    request,
    response,
    200,
    page,
    asHtml ? { "content-type": "text/html; charset=utf-8" } : {},
  );
}

// Only what can be part of an address is repeated to the caller.
function hostOf(request: PortRequest): string {
  const authority = request.headers[":authority"];
  const host =
    (typeof authority === "string" ? authority : undefined) ?? request.headers.host ?? "";
  return /^[\w.:[\]-]+$/.test(host) ? host : "localhost:8080";
}
