import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { ConfigError, createCommand, readConfig } from "./config.ts";
import { WRONG_PASSWORDS_PER_MINUTE } from "./account/login-throttle.ts";
import { WRONG_TOKENS_PER_MINUTE } from "./account/sessions.ts";
import { BROKEN_REQUESTS_PER_MINUTE } from "./rpc/transport/broken-requests.ts";
import { MAX_CONNECTIONS_PER_ADDRESS } from "./rpc/port/connection-counts.ts";
import { MAX_CONNECTIONS } from "./rpc/port/port.ts";

/** Reads settings from flags, with variables as the environment. */
function read(args: readonly string[] = [], env: Record<string, string> = {}) {
  const before = { ...process.env };
  // Commander looks at the process's own environment.
  process.env = { ...env };
  try {
    const command = createCommand("1.2.3")
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    return readConfig(command.parse(args, { from: "user" }).opts(), env);
  } finally {
    process.env = before;
  }
}

function problemsOf(args: readonly string[], env: Record<string, string> = {}): string {
  try {
    read(args, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("the settings were taken");
}

test("without flags and variables, every setting has its default", () => {
  expect(read()).toMatchObject({
    host: "0.0.0.0",
    port: 8080,
    databaseUrl: "",
    corsOrigins: ["*"],
    logLevel: "info",
    admins: [],
    threads: 0,
    drainMs: 1000,
    storeTimeoutMs: 5000,
    sessionDays: 30,
    production: false,
  });
  expect(read().clients).toBe(`${read().data}/clients`);
});

test("the limits have the defaults that their parts have", () => {
  expect(read()).toMatchObject({
    connections: MAX_CONNECTIONS,
    connectionsPerAddress: MAX_CONNECTIONS_PER_ADDRESS,
    wrongPasswordsPerMinute: WRONG_PASSWORDS_PER_MINUTE,
    wrongTokensPerMinute: WRONG_TOKENS_PER_MINUTE,
    brokenRequestsPerMinute: BROKEN_REQUESTS_PER_MINUTE,
    trustedProxies: undefined,
  });
  expect(problemsOf(["--connections-per-address", "0"])).toContain("--connections-per-address");
});

test("proxies that are trusted are addresses and networks", () => {
  const { trustedProxies } = read(["--trusted-proxies", "192.0.2.7, 10.0.0.0/8"]);
  expect(trustedProxies?.check("10.1.2.3")).toBe(true);
  expect(trustedProxies?.check("192.0.2.8")).toBe(false);
  const wrong = problemsOf([], { REALMWIRE_TRUSTED_PROXIES: "10.0.0.0/8, proxy.example.org" });
  expect(wrong).toContain('"proxy.example.org" is no address');
});

test("a flag wins over its variable, a variable over the default, and an empty variable is none", () => {
  expect(read(["--port", "1"], { PORT: "2" }).port).toBe(1);
  expect(read([], { PORT: "2" }).port).toBe(2);
  expect(read([], { PORT: "" }).port).toBe(8080);
  expect(read([], { DATABASE_URL: "", REALMWIRE_SEED: "" })).toMatchObject({ seed: "realmwire" });
});

test("lists are cut at commas; no origins at all can be asked for", () => {
  expect(read(["--admins", " ada, ,bob "]).admins).toEqual(["ada", "bob"]);
  expect(read([], { REALMWIRE_CORS_ORIGINS: "" }).corsOrigins).toEqual([]);
});

test("only PORT, DATABASE_URL and NATS_URL have names of others", () => {
  const variables = createCommand("1").options.flatMap(({ envVar }) => envVar ?? []);
  const foreign = variables.filter((name) => !name.startsWith("REALMWIRE_"));
  expect(foreign.toSorted()).toEqual(["DATABASE_URL", "NATS_URL", "PORT"]);
});

test("NODE_ENV says whether this is production", () => {
  const plaintext = { REALMWIRE_PLAINTEXT: "allow" };
  expect(read([], { NODE_ENV: "production", ...plaintext }).production).toBe(true);
  expect(read([], { NODE_ENV: "test" }).production).toBe(false);
});

test("origins are taken as browsers write them", () => {
  const list = "https://a.example, http://localhost:5173,capacitor://localhost,https://[::1]:8443";
  expect(read(["--cors-origins", list]).corsOrigins).toEqual([
    "https://a.example",
    "http://localhost:5173",
    "capacitor://localhost",
    "https://[::1]:8443",
  ]);
});

describe("TLS", () => {
  const tls = ["--tls-cert", "a/cert.pem", "--tls-key", "/b/key.pem"];
  const production = { NODE_ENV: "production" };

  test("without it plaintext is taken, with it only where it is asked for", () => {
    expect(read()).toMatchObject({ tls: undefined, plaintext: true });
    const files = { certFile: resolve("a/cert.pem"), keyFile: resolve("/b/key.pem") };
    expect(read(tls)).toMatchObject({ tls: files, plaintext: false });
    expect(read([...tls, "--plaintext", "refuse"])).toMatchObject({ tls: files, plaintext: false });
    expect(read([...tls, "--plaintext", "allow"])).toMatchObject({ tls: files, plaintext: true });
  });

  test("in production, plaintext has to be asked for", () => {
    const problem = problemsOf([], production);
    for (const part of ["--tls-cert", "REALMWIRE_TLS_CERT", "--tls-key", "REALMWIRE_TLS_KEY"]) {
      expect(problem).toContain(part);
    }
    expect(problem).toMatch(/production.*--plaintext \(REALMWIRE_PLAINTEXT\) allow/s);
    expect(read(["--plaintext", "allow"], production).plaintext).toBe(true);
    expect(read(tls, production)).toMatchObject({ plaintext: false, production: true });
  });

  test("half a pair, and a port at which nobody could connect, are refused", () => {
    expect(problemsOf(["--tls-cert", "x"])).toMatch(
      /^--tls-key \(REALMWIRE_TLS_KEY\): is needed too, since --tls-cert \(REALMWIRE_TLS_CERT\) is given$/,
    );
    expect(problemsOf([], { REALMWIRE_TLS_KEY: "x" })).toMatch(
      /^--tls-cert \(REALMWIRE_TLS_CERT\)/,
    );
    expect(problemsOf(["--plaintext", "refuse"])).toMatch(/--plaintext .*nobody could connect/);
  });
});

const BROKEN: readonly [flag: string, variable: string, value: string, limit: RegExp][] = [
  ["--port", "PORT", "65536", /65535/],
  ["--port", "PORT", "-1", /number/],
  ["--port", "PORT", "http", /number/],
  ["--port", "PORT", "0x50", /number/],
  ["--port", "PORT", "80.5", /whole number/],
  ["--database-url", "DATABASE_URL", "mysql://x/y", /postgres:\/\//],
  ["--database-url", "DATABASE_URL", "postgres://[", /postgres:\/\//],
  ["--nats-url", "NATS_URL", "nats://x", /leave it unset/],
  ["--plaintext", "REALMWIRE_PLAINTEXT", "yes", /"allow"/],
  ["--cors-origins", "REALMWIRE_CORS_ORIGINS", "https://a.example/", /an origin such as/],
  ["--cors-origins", "REALMWIRE_CORS_ORIGINS", "*,a.example", /a\.example is not an origin/],
  ["--cors-origins", "REALMWIRE_CORS_ORIGINS", "https://a.example:443", /an origin such as/],
  ["--cors-origins", "REALMWIRE_CORS_ORIGINS", "https://A.example", /an origin such as/],
  ["--log-level", "REALMWIRE_LOG_LEVEL", "loud", /"warn"/],
  ["--log-format", "REALMWIRE_LOG_FORMAT", "xml", /"json"/],
  ["--dev-password", "REALMWIRE_DEV_PASSWORD", "short", /8 to 128/],
  ["--seed", "REALMWIRE_SEED", "s".repeat(257), /256/],
  ["--session-days", "REALMWIRE_SESSION_DAYS", "0", /0\.001/],
  ["--linger-ms", "REALMWIRE_LINGER_MS", "600001", /600000/],
  ["--threads", "REALMWIRE_THREADS", "65", /64/],
  ["--threads", "REALMWIRE_THREADS", "1.5", /whole number/],
  ["--drain-ms", "REALMWIRE_DRAIN_MS", "600001", /600000/],
  ["--store-timeout-ms", "REALMWIRE_STORE_TIMEOUT_MS", "99", /100/],
];

test.each(BROKEN)("%s (%s) %s is refused, with its limit", (flag, variable, value, limit) => {
  for (const problem of [problemsOf([`${flag}=${value}`]), problemsOf([], { [variable]: value })]) {
    expect(problem).toContain(flag);
    expect(problem).toContain(variable);
    expect(problem).toMatch(limit);
  }
});

test("all broken settings are told at once, and secrets are not repeated", () => {
  const url = "postgras://ada:secret@host/db";
  const problem = problemsOf(["--port", "x", "--dev-password", "hunter2", "--database-url", url]);
  expect(problem.split("\n")).toHaveLength(3);
  expect(problem).not.toMatch(/secret|hunter2/);
});
