import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { createCommand } from "../server/config.ts";
import { createCertificateFolder } from "./support/certificate.ts";
import { isInstalled, requireOrSkip } from "./support/require.ts";
import { describeMetrics } from "./support/scrape.ts";
import { root } from "./support/server.ts";

const run = promisify(execFile);

/** Variables that are no settings: of the process, of images, of compose. */
const OTHER_VARIABLES = new Set([
  "NODE_ENV",
  "REALMWIRE_COMMIT",
  "POSTGRES_USER",
  "POSTGRES_DB",
  "POSTGRES_PASSWORD",
]);

/** The worst that `systemd-analyze security` may say, of 10: below 2 is what it calls "OK" and better. */
const MOST_EXPOSURE = 2;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "realmwire-deploy-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function file(name: string): Promise<string> {
  return readFile(join(root, "deploy", name), "utf8");
}

interface Service {
  readonly environment?: Record<string, string>;
  readonly env_file?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Record<string, { readonly condition: string }>;
  readonly healthcheck?: { readonly test: readonly string[] };
}

interface Compose {
  readonly services: Record<string, Service>;
  readonly volumes: Record<string, unknown>;
}

async function compose(): Promise<Compose> {
  return parse(await file("compose.yaml")) as Compose;
}

/** Names and values of lines such as `NAME=value`, those that are commented out too. */
function variables(text: string): Map<string, string> {
  return new Map(
    [...text.matchAll(/^(?:#|\s+|ENV |Environment=)*([A-Z][A-Z\d_]+)[=:] ?"?([^"\s\\]*)/gm)].map(
      ([, name = "", value = ""]) => [name, value] as const,
    ),
  );
}

test.each([
  ["realmwire.service", 3],
  ["realmwire.env.example", 7],
  ["Containerfile", 4],
  ["compose.env.example", 5],
  ["compose.yaml", 4],
])("every variable in %s is one that somebody reads", async (name, atLeast) => {
  const known = new Set(createCommand("1").options.map(({ envVar }) => envVar ?? ""));
  const names = [...variables(await file(name)).keys()];
  expect(names.length).toBeGreaterThanOrEqual(atLeast);
  for (const each of names) {
    expect(known.has(each) || OTHER_VARIABLES.has(each), `${each} in ${name}`).toBe(true);
  }
});

test("compose.yaml names what is there, and its ports, services and volumes fit together", async () => {
  const { services, volumes } = await compose();
  const { server, database, prometheus } = services;
  expect(server?.build).toEqual({ context: "..", dockerfile: "deploy/Containerfile" });
  expect(server?.depends_on).toEqual({ database: { condition: "service_healthy" } });
  expect(database?.healthcheck?.test[1]).toContain("pg_isready");
  for (const { env_file: env } of [server, database].flatMap((each) => each ?? [])) {
    expect(`${env}`.replace(/\.env$/, ".env.example")).toBe("compose.env.example");
  }
  const secrets = variables(await file("compose.env.example"));
  const url = new URL(secrets.get("DATABASE_URL") ?? "");
  expect(services).toHaveProperty(url.hostname);
  expect([url.username, url.password, url.pathname.slice(1)]).toEqual(
    ["USER", "PASSWORD", "DB"].map((part) => secrets.get(`POSTGRES_${part}`)),
  );
  const port = server?.environment?.["PORT"];
  expect(server?.ports).toEqual([`127.0.0.1:${port}:${port}`]);
  expect(await file("Containerfile")).toContain(`EXPOSE ${port}\n`);
  const metricsPort = server?.environment?.["REALMWIRE_METRICS_PORT"];
  expect(await file("prometheus.yml")).toContain(`targets: ["server:${metricsPort}"]`);
  expect(variables(await file("realmwire.env.example")).get("REALMWIRE_METRICS_PORT")).toBe(
    metricsPort,
  );
  for (const mount of [server, database, prometheus].flatMap((each) => each?.volumes ?? [])) {
    const [source = ""] = mount.split(":");
    if (source.startsWith("./")) await file(source);
    else expect(volumes).toHaveProperty(source);
  }
});

test("the unit is one that systemd takes, and leaves the server little to do harm with", async (context) => {
  requireOrSkip(context, await isInstalled("systemd-analyze"), "systemd-analyze");
  const unit = join(folder, "realmwire.service");
  const text = await file("realmwire.service");
  expect(text).toContain("ExecStart=/opt/realmwire/node_modules/.bin/node server/main.ts\n");
  await writeFile(unit, text.replace("/opt/realmwire/node_modules/.bin/node", process.execPath));
  const { stdout, stderr } = await run("systemd-analyze", ["verify", unit]);
  expect(stdout + stderr).toBe("");
  const security = await run("systemd-analyze", ["security", "--offline=true", unit]);
  const exposure = /exposure level for realmwire\.service: ([\d.]+)/.exec(security.stdout)?.[1];
  expect(Number(exposure)).toBeLessThan(MOST_EXPOSURE);
});

test("alerts and the example of Prometheus ask for metrics that the server tells", async () => {
  const told = await describeMetrics();
  const { groups } = parse(await file("alerts.yml")) as {
    groups: { rules: { alert: string; expr: string }[] }[];
  };
  const rules = groups.flatMap(({ rules: all }) => all);
  expect(rules.length).toBeGreaterThan(8);
  for (const { alert, expr } of rules) {
    for (const [name] of expr.matchAll(/\brealmwire_\w+/g)) {
      expect(told.types.has(name.replace(/_(?:bucket|sum|count)$/, "")), `${name}: ${alert}`).toBe(
        true,
      );
    }
    for (const [, label = "", values = ""] of expr.matchAll(/(method|level)="([^"]+)"/g)) {
      const name = label === "method" ? "realmwire_calls_total" : "realmwire_log_lines_total";
      expect(told.labels(name, label), alert).toContain(values);
    }
  }
  // Prometheus' own check of the whole files, where it is installed.
  if (!(await isInstalled("promtool"))) return;
  await run("promtool", ["check", "rules", join(root, "deploy/alerts.yml")]);
  await run("promtool", ["check", "config", join(root, "deploy/prometheus.yml")]);
});

/** What the Containerfile does: the copies of its last stage that come from the project, and its commands. */
async function readImage() {
  const text = await file("Containerfile");
  const last = text.slice(text.lastIndexOf("FROM "));
  const copies = [...last.matchAll(/^COPY (?!--)(.+) \.\/(\S*)$/gm)].map(
    ([, from = "", to = ""]) => ({ from: from.split(" "), to }),
  );
  const commandOf = (pattern: RegExp) => JSON.parse(pattern.exec(text)?.[1] ?? "[]") as string[];
  return {
    copies,
    install: /^RUN (npm ci .+)$/m.exec(text)?.[1] ?? "",
    start: commandOf(/^ENTRYPOINT (\[.+\])$/m),
    health: commandOf(/^HEALTHCHECK .*CMD (\[.+\])$/m),
  };
}

/** Copies into a folder what an image would hold. */
async function copyInto(app: string, copies: readonly { from: readonly string[]; to: string }[]) {
  for (const { from, to } of copies) {
    for (const source of from) {
      await cp(join(root, source), join(app, from.length > 1 || to === "" ? source : to), {
        recursive: true,
        filter: (path) => !/(?:^|\/)node_modules(?:\/|$)|\.test\.ts$/.test(path),
      });
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

test("what an image holds is enough for a server, which its health check sees, with TLS too", async () => {
  const { copies, install, start, health } = await readImage();
  expect(copies.length).toBeGreaterThan(4);
  const app = join(folder, "app");
  await copyInto(app, [...copies, { from: ["package-lock.json", ".npmrc"], to: "" }]);
  await run("sh", ["-c", `${install} --prefer-offline`], { cwd: app });
  const certificate = await createCertificateFolder();
  const { certFile, keyFile } = certificate;
  try {
    await expectHealthy(app, { start, health }, { REALMWIRE_PLAINTEXT: "allow" });
    const { stdout } = await run(process.execPath, ["clients/admin/main.ts", "--help"], {
      cwd: app,
    });
    expect(stdout).toContain("create-admin");
    const tls = { REALMWIRE_TLS_CERT: certFile, REALMWIRE_TLS_KEY: keyFile };
    await expectHealthy(app, { start, health }, tls);
  } finally {
    await certificate.dispose();
  }
}, 180_000);

/** Runs an image's server and asks its health check, before, while and after it runs. */
async function expectHealthy(
  app: string,
  { start, health }: { readonly start: readonly string[]; readonly health: readonly string[] },
  more: NodeJS.ProcessEnv,
): Promise<void> {
  const env = {
    PATH: process.env["PATH"],
    NODE_ENV: "production",
    REALMWIRE_HOST: "127.0.0.1",
    REALMWIRE_DATA: await mkdtemp(join(folder, "data-")),
    PORT: String(await freePort()),
    ...more,
  };
  const check = () =>
    run(process.execPath, health.slice(1), { cwd: app, env }).then(
      () => 0,
      ({ code }: { code: number }) => code,
    );
  expect(await check()).toBe(1);
  const server = spawn(process.execPath, start.slice(1), { cwd: app, env, stdio: "pipe" });
  let output = "";
  for (const stream of [server.stdout, server.stderr]) {
    stream.on("data", (text: Buffer) => (output += text.toString()));
  }
  const ended = once(server, "close");
  try {
    await expect.poll(() => output, { timeout: 40_000, interval: 200 }).toMatch(/"ready: /);
    expect(await check()).toBe(0);
    server.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    expect(await check()).toBe(1);
  } finally {
    server.kill("SIGKILL");
    await ended;
  }
}
