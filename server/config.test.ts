import { expect, test } from "vitest";
import { ConfigError, createCommand, readConfig } from "./config.ts";

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
  expect(read([], { NODE_ENV: "production" }).production).toBe(true);
  expect(read([], { NODE_ENV: "test" }).production).toBe(false);
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
