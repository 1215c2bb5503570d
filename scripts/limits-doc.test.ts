import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { ErrorReasonSchema } from "../gen/ts/realmwire/v1/error_pb.ts";
import { ADDRESS_FACTOR } from "../server/account/login-throttle.ts";
import { LIMIT_SETTINGS } from "../server/limit-settings.ts";
import { MAX_REQUEST_BYTES } from "../server/rpc/transport/call-bounds.ts";
import {
  MAX_SURPLUS_CONNECTIONS,
  SURPLUS_TIMEOUT_MS,
} from "../server/rpc/port/connection-counts.ts";
import { MAX_EARLY_BYTES } from "../server/rpc/port/direct-connection.ts";
import { MAX_HEALTH_WATCHERS } from "../server/rpc/services/health.ts";
import { MAX_INPUTS } from "../server/rpc/players/player-inputs.ts";
import { MAX_STREAMS } from "../server/rpc/players/player-streams.ts";
import {
  HEADERS_TIMEOUT_MS,
  IDLE_SESSION_TIMEOUT_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  MAX_CONCURRENT_STREAMS,
  REQUEST_TIMEOUT_MS,
} from "../server/rpc/port/port-servers.ts";
import { CLOSING_TIMEOUT_MS, FIRST_BYTES_TIMEOUT_MS } from "../server/rpc/port/port.ts";
import { STALLED_READER_TIMEOUT_MS } from "../server/rpc/port/stalled-readers.ts";
import { HANDSHAKE_TIMEOUT_MS } from "../server/rpc/port/tls-entrance.ts";

const text = readFileSync(resolve(import.meta.dirname, "../docs/limits.md"), "utf8");
const rows = text
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .map((line) => line.split("|").map((cell) => cell.trim()));

/** What stands behind the row that begins so. */
function boundOf(what: string): string {
  const row = rows.find(([, first = ""]) => first.startsWith(what));
  if (row === undefined) throw new Error(`docs/limits.md says nothing of ${what}`);
  return row[2] ?? "";
}

test("docs/limits.md says the bounds that the code has", () => {
  const seconds = (ms: number) => `${ms / 1000} s`;
  expect(boundOf("a request's size")).toBe(`${MAX_REQUEST_BYTES / 1024 ** 2} MiB`);
  expect(boundOf("the time that a request takes")).toBe(seconds(REQUEST_TIMEOUT_MS));
  expect(boundOf("wrong passwords from one address")).toBe("ten times as many");
  expect(ADDRESS_FACTOR).toBe(10);
  expect(boundOf("Update streams")).toBe(String(MAX_STREAMS));
  expect(boundOf("Input streams")).toBe(String(MAX_INPUTS));
  expect(boundOf("watchers")).toBe(String(MAX_HEALTH_WATCHERS));
  expect(boundOf("calls that are open")).toBe(String(MAX_CONCURRENT_STREAMS));
  expect(boundOf("those that are told so")).toBe(String(MAX_SURPLUS_CONNECTIONS));
  expect(boundOf("time until the first bytes")).toBe(seconds(FIRST_BYTES_TIMEOUT_MS));
  expect(boundOf("time for a TLS handshake")).toBe(seconds(HANDSHAKE_TIMEOUT_MS));
  expect(boundOf("time for the head")).toBe(seconds(HEADERS_TIMEOUT_MS));
  expect(boundOf("HTTP/1.1 between")).toBe(seconds(KEEP_ALIVE_TIMEOUT_MS));
  expect(boundOf("requests of HTTP/1.1 sent ahead")).toBe(`${MAX_EARLY_BYTES / 1024} KiB`);
  expect(boundOf("HTTP/2 without a word")).toBe(seconds(IDLE_SESSION_TIMEOUT_MS));
  expect(boundOf("time that a client may take nothing")).toBe(seconds(STALLED_READER_TIMEOUT_MS));
  expect(boundOf("time that a client takes to close")).toBe(seconds(CLOSING_TIMEOUT_MS));
  expect(text).toContain(`closed after ${seconds(SURPLUS_TIMEOUT_MS)} at the latest`);
});

test("docs/limits.md names every setting of a limit with its default, and only reasons that exist", () => {
  for (const { flag, default: value } of Object.values(LIMIT_SETTINGS)) {
    const [name = ""] = flag.split(" ");
    expect(text).toContain(name);
    const row = rows.find(([, , , setting = ""]) => setting.includes(name));
    if (row) expect(row[2]).toContain(value);
  }
  const known = new Set(ErrorReasonSchema.values.map(({ localName }) => localName));
  const named = [...text.matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, name]) => name ?? "");
  expect(named.filter((name) => name !== "POST" && !known.has(name))).toEqual([]);
  expect(named.length).toBeGreaterThan(10);
});
