import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  createSchemaChecker,
  type Operation,
  operationsOf,
  readOpenApi,
} from "../support/openapi.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

/** The password that the examples in the document log in with. */
const PASSWORD = "correct horse";
/** Examples that a new player's calls are refused for, since nothing was prepared for them. */
const REFUSED: Readonly<Record<string, string>> = {
  "realmwire.v1.AccountService.SelectCharacter": "CHARACTER_UNKNOWN",
  "realmwire.v1.AccountService.DeleteCharacter": "CHARACTER_UNKNOWN",
  "realmwire.v1.ChatService.Tell": "NOT_ONLINE",
  "realmwire.v1.ReleaseService.PublishRelease": "RELEASE_UNKNOWN",
};
const OK = 200;

const document = await readOpenApi();
const operations = operationsOf(document);
const problemsOf = createSchemaChecker(document, { closed: true });
let server: TestServer;
let callers = 0;

beforeAll(async () => {
  server = await startTestServer({ args: { "dev-password": PASSWORD } });
});

afterAll(() => server?.dispose());

interface Answer {
  readonly status: number;
  readonly body: JsonObject;
}

/** Makes a call as the document says, with nothing but `fetch`. */
async function send(operation: Operation, request: JsonObject, token?: string): Promise<Answer> {
  const headers = new Headers(token === undefined ? {} : { authorization: `Bearer ${token}` });
  const url = new URL(operation.path, server.baseUrl);
  const message = JSON.stringify(request);
  if (operation.verb === "get") {
    url.search = String(new URLSearchParams({ connect: "v1", encoding: "json", message }));
  } else {
    headers.set("content-type", "application/json");
  }
  const body = operation.verb === "get" ? null : message;
  const response = await fetch(url, { method: operation.verb.toUpperCase(), headers, body });
  return { status: response.status, body: (await response.json()) as JsonObject };
}

function operationOf(id: string): Operation {
  const operation = operations.find((one) => one.id === id);
  if (operation === undefined) throw new Error(`${id} is not in the document`);
  return operation;
}

let admins: Promise<string> | undefined;

/** The token of the ready-made account that may make every call. It is the same all the time: while the server drains, nobody logs in. */
function adminToken(): Promise<string> {
  return (admins ??= tokenBy("realmwire.v1.WorldService.Login", "admin"));
}

/** The token of a new player, or of an admin where a player may not make the call. */
function tokenFor({ role }: Operation): Promise<string> {
  const isPlayer = role === "ROLE_PLAYER" || role === "ROLE_ANONYMOUS";
  if (!isPlayer) return adminToken();
  return tokenBy("realmwire.v1.WorldService.New", `caller-${String.fromCodePoint(97 + callers++)}`);
}

async function tokenBy(id: string, name: string): Promise<string> {
  const { body } = await send(operationOf(id), { name, password: PASSWORD });
  return body["token"] as string;
}

/** The reason in an error's details. */
function reasonOf(body: JsonObject): string | undefined {
  const [detail] = body["details"] as unknown as { debug: { reason: string } }[];
  return detail?.debug.reason.replace("ERROR_REASON_", "");
}

/** Checks an answer against what the document says of its status. */
function expectDocumented(operation: Operation, { status, body }: Answer): void {
  const schema = operation.answerSchemas[String(status)];
  expect(schema, `${operation.id} answers ${status}: ${JSON.stringify(body)}`).toBeDefined();
  expect(problemsOf(schema ?? "", body), JSON.stringify(body)).toEqual([]);
  if (status !== OK) expect(operation.reasons[String(status)]).toContain(reasonOf(body));
}

test.each(operations)("$verb $path answers its example as the document says", async (operation) => {
  const answer = await send(operation, operation.example, await tokenFor(operation));
  expectDocumented(operation, answer);
  const reason = answer.status === OK ? undefined : reasonOf(answer.body);
  expect(reason).toBe(REFUSED[operation.id]);
});

test.each(operations.filter(({ needsLogin }) => needsLogin))(
  "$verb $path without a token is refused as the document says",
  async (operation) => {
    const answer = await send(operation, operation.example);
    expect(answer.status).toBe(401);
    expectDocumented(operation, answer);
  },
);

test.each(operations)(
  "$verb $path refuses broken requests as the document says",
  async (operation) => {
    const answer = await send(operation, [] as unknown as JsonObject, await adminToken());
    expect(answer.status).toBe(400);
    expectDocumented(operation, answer);
  },
);

test("an answer of another form would be noticed", () => {
  const { answerSchemas } = operationOf("realmwire.v1.WorldService.Version");
  expect(problemsOf(answerSchemas[OK] ?? "", { server: "1.0.0" })).toEqual([]);
  expect(problemsOf(answerSchemas[OK] ?? "", { server: 1 })).toHaveLength(1);
  expect(problemsOf(answerSchemas[OK] ?? "", { sever: "1.0.0" })).toHaveLength(1);
});
