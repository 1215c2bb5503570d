import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import { TOKENS } from "./rpc-server.ts";
import type { TwoWays } from "./two-ways.ts";
import { callByHand, inEnvelope, outcomeOf, urlFor, type Wire, type WireRequest } from "./wire.ts";

/** A call with what is to come of it: the way it takes, and its outcome. */
export interface Case {
  readonly name: string;
  readonly way: "short" | "adapter";
  readonly outcome: string | RegExp;
  readonly request: Partial<WireRequest>;
}

/** A message as a wire has it. */
export function framed(wire: Wire, message: Uint8Array): Uint8Array {
  return wire.enveloped ? inEnvelope(message) : message;
}

/** Makes the same call both ways, and expects the same answer. */
export async function expectSameAnswer(
  ways: TwoWays,
  wire: Wire,
  { way, outcome, request }: Case,
): Promise<void> {
  const before = ways.short.adapted;
  const whole: WireRequest = { http: wire.http, path: "/", ...request };
  const [short, adapter] = await Promise.all([
    callByHand(urlFor(ways.short, wire), whole),
    callByHand(urlFor(ways.adapter, wire), whole),
  ]);
  expect(short).toEqual(adapter);
  if (typeof outcome === "string") expect(outcomeOf(short)).toBe(outcome);
  else expect(outcomeOf(short)).toMatch(outcome);
  expect(ways.short.adapted - before, "calls that the adapter answered").toBe(
    way === "adapter" ? 1 : 0,
  );
}

/** Headers of a call. */
export type Headers = Readonly<Record<string, string | string[]>>;

/** The headers of a player's call. */
export function headersOf(wire: Wire): Headers {
  return { "content-type": wire.contentType, authorization: `Bearer ${TOKENS.player}` };
}

/** Cases that differ in their headers. `good` is a message that is answered well. */
export function headerCases(wire: Wire, path: string, good: Uint8Array): Case[] {
  const body = framed(wire, good);
  const type = wire.contentType;
  const at = (
    name: string,
    way: Case["way"],
    outcome: Case["outcome"],
    headers: Headers,
    more: Partial<WireRequest> = {},
  ): Case => ({
    ...{ name, way, outcome },
    request: { path, headers: { ...headersOf(wire), ...headers }, body, ...more },
  });
  const { timeoutHeader, timeoutValue, encodingHeader, acceptHeader } = wire;
  return [
    at("good", "short", "ok", {}),
    at("from a web page", "short", "ok", { origin: "https://example.org" }),
    at("from a web page, refused", "short", "unauthenticated", {
      ...{ origin: "https://example.org", authorization: "Bearer wrong" },
    }),
    at("an empty token", "short", "unauthenticated", { authorization: "" }),
    at("another scheme", "short", "unauthenticated", { authorization: "Basic YTpi" }),
    at("a wrong token", "short", "unauthenticated", { authorization: "Bearer wrong" }),
    at("the scheme in capitals", "short", "ok", { authorization: `BEARER ${TOKENS.player}` }),
    at("a timeout", "short", "ok", { [timeoutHeader]: timeoutValue(20_000) }),
    at("a timeout of nothing", "adapter", /./, { [timeoutHeader]: timeoutValue(0) }),
    at("a negative timeout", "adapter", "invalid_argument", { [timeoutHeader]: "-1" }),
    at("a timeout in words", "adapter", "invalid_argument", { [timeoutHeader]: "soon" }),
    at("a timeout with a fraction", "adapter", "invalid_argument", { [timeoutHeader]: "1.5" }),
    at("a timeout of many digits", "adapter", "invalid_argument", {
      [timeoutHeader]: "123456789012",
    }),
    at("two timeouts", "adapter", "invalid_argument", { [timeoutHeader]: "1000, 1000" }),
    at("protocol version 1", "short", "ok", { "connect-protocol-version": "1" }),
    at("another protocol version", "short", "ok", { "connect-protocol-version": "2" }),
    at("identity", "short", "ok", { [encodingHeader]: "identity" }),
    at("an unknown compression", "adapter", "unimplemented", { [encodingHeader]: "zstd" }),
    at("accepting compressed answers", "short", "ok", { [acceptHeader]: "gzip, br" }),
    at("accepting only identity", "short", "ok", { [acceptHeader]: "identity" }),
    at("packed", "adapter", "ok", { [encodingHeader]: "gzip" }, { body: packed(wire, good) }),
    at(
      "packed and accepting that",
      "adapter",
      "ok",
      {
        ...{ [encodingHeader]: "gzip", [acceptHeader]: "gzip" },
      },
      { body: packed(wire, good) },
    ),
    at("said to be packed, but not", "adapter", wire.enveloped ? "ok" : /internal|invalid/, {
      [encodingHeader]: "gzip",
    }),
    at("packed after all", "adapter", /./, {}, { body: packed(wire, good) }),
    at("a type with a parameter", "adapter", "unimplemented", {
      "content-type": `${type}; charset=utf-8`,
    }),
    at("a type in capitals", "adapter", "ok", { "content-type": type.toUpperCase() }),
    at("a type that nobody knows", "adapter", "unimplemented", { "content-type": "text/plain" }),
    at("gRPC's text form", "adapter", "unimplemented", {
      "content-type": "application/grpc-web-text",
    }),
    at("another method", "adapter", "unimplemented", {}, { method: "PUT" }),
    at("a query", "adapter", "ok", {}, { path: `${path}?a=b` }),
    at("a proxy's header", "short", "ok", { "x-forwarded-for": "203.0.113.9" }),
    at("a header twice", "short", "ok", { "x-odd": ["a", "b"] }),
    at("te, as gRPC asks for it", "short", "ok", { te: "trailers" }),
  ];
}

/** A message, packed as a wire has it. */
export function packed(wire: Wire, message: Uint8Array): Uint8Array {
  const bytes = gzipSync(message);
  return wire.enveloped ? inEnvelope(bytes, 1) : bytes;
}
