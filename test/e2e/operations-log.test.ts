import { createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AccountService } from "../../gen/ts/realmwire/v1/account_service_pb.ts";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createDataFolders, type DataFolders } from "../support/data-folders.ts";
import { type ChildServer, runServer, serverArgs } from "../support/child-server.ts";
import { failureOf } from "../support/player.ts";
import {
  findPostgres,
  POSTGRES_NEEDED,
  type PostgresServer,
  startPostgres,
} from "../support/postgres.ts";
import { requireOrSkip } from "../support/require.ts";
import { createTransport, DEV_PASSWORD, PROTOCOLS } from "../support/server.ts";

/** What nobody may find in a log. */
const PASSWORD = "sesame-opens-the-gate";
const NEW_PASSWORD = "sesame-opens-another";
const WRONG_PASSWORD = "sesame-is-not-it";

let folders: DataFolders;
let server: ChildServer | undefined;
let postgres: PostgresServer | undefined;

beforeAll(async () => {
  folders = await createDataFolders();
});
afterAll(async () => {
  await server?.dispose();
  await postgres?.close();
  await folders.dispose();
});

/** Does all that has to do with secrets, well and badly; the tokens come back. */
async function playAround(baseUrl: string, stem: string): Promise<string[]> {
  const tokens: string[] = [];
  for (const protocol of PROTOCOLS) {
    const name = `${stem}-${protocol}`;
    const anonymous = createClient(WorldService, createTransport(baseUrl, protocol));
    const made = await anonymous.new({ name, password: PASSWORD });
    await failureOf(anonymous.login({ name, password: WRONG_PASSWORD }));
    await failureOf(anonymous.new({ name, password: WRONG_PASSWORD }));
    const { token } = await anonymous.login({ name, password: PASSWORD });
    tokens.push(made.token, token);
    const account = createClient(AccountService, createTransport(baseUrl, protocol, token));
    await account.changePassword({ oldPassword: PASSWORD, newPassword: NEW_PASSWORD });
    await failureOf(account.changePassword({ oldPassword: PASSWORD, newPassword: "x" }));
    const world = createClient(WorldService, createTransport(baseUrl, protocol, token));
    await world.get({ attributes: ["name"] });
    await failureOf(
      createClient(WorldService, createTransport(baseUrl, protocol, `${token}x`)).get({}),
    );
  }
  const login = `${baseUrl}/realmwire.v1.WorldService/Login`;
  const headers = { "content-type": "application/json", authorization: `Basic ${tokens[0]}` };
  // Broken requests, which are logged as such.
  for (const body of [`{"name": "x", "password": "${PASSWORD}"`, `{"passwort": "${PASSWORD}"}`]) {
    await fetch(login, { method: "POST", headers, body });
    await fetch(`${login}?password=${PASSWORD}&token=${tokens[0]}`, {
      method: "POST",
      headers,
      body,
    });
  }
  return tokens;
}

function expectNoSecrets({ stdout, stderr }: ChildServer, tokens: readonly string[]): void {
  const text = stdout + stderr;
  for (const secret of [PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, DEV_PASSWORD, ...tokens]) {
    expect(text).not.toContain(secret);
  }
  expect(text).not.toMatch(/\$argon2|bearer |basic /i);
}

test("at level trace each call has a line with its id, and no secret is in any", async () => {
  const args = serverArgs(await folders.next(), "--log-level", "trace", "--log-format", "json");
  server = runServer(args);
  const { baseUrl } = await server.ready();
  const tokens = await playAround(baseUrl, "zoe");
  expect(tokens).toHaveLength(6);
  server.signal("SIGTERM");
  expect(await server.ended()).toEqual({ code: 0, signal: null });
  const calls = server.log.filter(({ msg }) => msg === "a call ended");
  expect(calls.length).toBeGreaterThan(20);
  for (const line of calls) expect(line["requestId"]).toMatch(/^[\da-f-]{36}$/);
  const outcomes = new Set(calls.map((line) => line["outcome"]));
  expect(outcomes).toContain("ok");
  expect(outcomes).toContain("Unauthenticated");
  expectNoSecrets(server, tokens);
});

test("what goes wrong with the database is logged with the call's id, and without what it was asked", async (context) => {
  const programs = findPostgres();
  requireOrSkip(context, programs !== undefined, POSTGRES_NEEDED);
  postgres = await startPostgres(programs as string);
  const url = new URL(await postgres.createDatabase());
  url.password = "db-secret-word";
  server = runServer(
    serverArgs(await folders.next(), "--log-level", "trace", "--store-timeout-ms", "1000"),
    // Or else the passwords of ready-made accounts would be shown, as they should.
    { DATABASE_URL: url.href, NODE_ENV: "production", REALMWIRE_PLAINTEXT: "allow" },
  );
  const { baseUrl } = await server.ready();
  const tokens = await playAround(baseUrl, "yan");
  await postgres.stop();
  const anonymous = createClient(WorldService, createTransport(baseUrl, "connect"));
  const headers = { "x-request-id": "outage-1" };
  await failureOf(anonymous.new({ name: "late", password: PASSWORD }, { headers }));
  await failureOf(anonymous.login({ name: "yan-grpc", password: NEW_PASSWORD }, { headers }));
  const faults = server.log.filter(({ msg }) => msg === "a call was refused because of a fault");
  expect(faults.length).toBeGreaterThan(0);
  expect(faults.at(-1)).toMatchObject({ requestId: "outage-1", level: 40 });
  expectNoSecrets(server, tokens);
  expect(server.stdout + server.stderr).not.toContain("db-secret-word");
}, 60_000);
