import {
  create,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AccountService } from "../../../gen/ts/realmwire/v1/account_service_pb.ts";
import { OnlineStatus } from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorDetailSchema, ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import {
  LoginResponseSchema,
  NewResponseSchema,
} from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import {
  type AccountsNode,
  createTestClock,
  PEER,
  startAccounts,
} from "../../../test/support/accounts.ts";
import type { LoginResult } from "../../account/accounts.ts";
import { createLocalBus, type LocalBus } from "../../bus/local-bus.ts";
import { openTestStore, type TestStore } from "../../../test/support/test-store.ts";
import type { Store } from "../../store/store.ts";
import { toLoginAnswer } from "./account-messages.ts";
import { createAccountService } from "./account-service.ts";
import { createPipeline, type Pipeline } from "../pipeline/pipeline.ts";

const PASSWORD = "correct horse";
const METHODS = AccountService.method;

let own: TestStore;
let store: Store;
let bus: LocalBus;
let node: AccountsNode;
let pipeline: Pipeline;
/** The zones of characters whose players are there. */
const present = new Map<string, string>();
const presence = {
  online: (name: string) => present.has(name),
  zone: (name: string) => present.get(name),
};

beforeAll(async () => {
  own = await openTestStore();
  ({ store } = own);
  bus = createLocalBus();
  await bus.start();
  node = await startAccounts({ store, bus, clock: createTestClock() });
  pipeline = createPipeline({
    authenticator: node.accounts,
    services: [createAccountService({ accounts: node.accounts, presence, refuseLogins: () => {} })],
  });
  pipeline.start();
});

afterAll(async () => {
  await node.close();
  await bus.close();
  await own.dispose();
});

/** Makes a call as the holder of a token does. */
function call<I extends DescMessage, O extends DescMessage>(
  token: string,
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
) {
  return pipeline.unary(method, create(method.input, request), {
    authorization: `Bearer ${token}`,
    peer: "127.0.0.1",
    requestId: "id-1",
    signal: new AbortController().signal,
  });
}

async function refusal(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConnectError);
  const [detail] = (error as ConnectError).findDetails(ErrorDetailSchema);
  return { reason: detail?.reason, fields: detail?.violations.map(({ field }) => field) };
}

function register(name: string): Promise<LoginResult> {
  return node.accounts.register({ name, password: PASSWORD, email: "a@example.org" });
}

test("[SM-5] characters are created, listed, selected and deleted", async () => {
  const { token } = await register("Ada");
  const { character } = await call(token, METHODS.createCharacter, { name: "Lovelace" });
  expect(character).toMatchObject({ name: "Lovelace", zone: "town", selected: false });
  expect(character?.online).toBe(OnlineStatus.OFFLINE);
  present.set("Ada", "forest");
  const before = await call(token, METHODS.listCharacters, {});
  expect(
    before.characters.map(({ name, zone, online, selected }) => [name, zone, online, selected]),
  ).toEqual([
    ["Ada", "forest", OnlineStatus.ONLINE, true],
    ["Lovelace", "town", OnlineStatus.OFFLINE, false],
  ]);
  expect(before.nextPageToken).toBe("");
  const selected = await call(token, METHODS.selectCharacter, { name: "lovelace" });
  expect(selected.character).toMatchObject({ name: "Lovelace", selected: true });
  const inUse = call(token, METHODS.deleteCharacter, { name: "Lovelace" });
  expect((await refusal(inUse)).reason).toBe(ErrorReason.CHARACTER_IN_USE);
  await call(token, METHODS.deleteCharacter, { name: "Ada" });
  const after = await call(token, METHODS.listCharacters, {});
  expect(after.characters.map(({ name }) => name)).toEqual(["Lovelace"]);
});

test("characters come in pages", async () => {
  const { token } = await register("Many");
  for (const name of ["Öl", "b2", "Zz"]) {
    await call(token, METHODS.createCharacter, { name });
  }
  const names: string[][] = [];
  let pageToken = "";
  do {
    const page = await call(token, METHODS.listCharacters, { pageSize: 1, pageToken });
    names.push(page.characters.map(({ name }) => name));
    pageToken = page.nextPageToken;
    expect(pageToken).not.toContain("b2");
  } while (pageToken !== "");
  expect(names).toEqual([["b2"], ["Many"], ["Zz"], ["Öl"]]);
});

test.each([
  "x",
  "!!!!",
  Buffer.from("zones:bob").toString("base64url"),
  Buffer.from("characters:").toString("base64url"),
  `${Buffer.from("characters:bob").toString("base64url")}=`,
])("a broken page token is refused: %s", async (pageToken) => {
  const { token } = await node.accounts.login({ name: "many", password: PASSWORD }, PEER);
  const refused = await refusal(call(token, METHODS.listCharacters, { pageToken }));
  expect(refused).toEqual({ reason: ErrorReason.INVALID_FIELDS, fields: ["page_token"] });
});

test("[SM-4] after a logout the token is refused", async () => {
  const { token } = await register("Gone");
  await call(token, METHODS.logout, {});
  const refused = await refusal(call(token, METHODS.listCharacters, {}));
  expect(refused.reason).toBe(ErrorReason.TOKEN_INVALID);
});

test("the password is changed by who knows it", async () => {
  const { token } = await register("Secret");
  const wrong = call(token, METHODS.changePassword, {
    oldPassword: "wrong",
    newPassword: "another horse",
  });
  expect((await refusal(wrong)).reason).toBe(ErrorReason.CREDENTIALS_WRONG);
  await call(token, METHODS.changePassword, {
    oldPassword: PASSWORD,
    newPassword: "another horse",
  });
  await node.accounts.login({ name: "Secret", password: "another horse" }, PEER);
});

test("a login is answered with account and characters, and never with the hash", async () => {
  const result = await register("Answer");
  const answer = toLoginAnswer(result, presence);
  const message = create(LoginResponseSchema, answer);
  expect(message).toMatchObject({
    token: result.token,
    account: { name: "Answer", role: Role.PLAYER, email: "a@example.org" },
    characters: [{ name: "Answer", zone: "town", selected: true }],
    character: "Answer",
  });
  expect(message.expiresAt).toBeDefined();
  expect(message.account?.createdAt).toBeDefined();
  expect(create(NewResponseSchema, answer).character).toBe("Answer");
  expect(
    JSON.stringify(answer, (_, value) => (typeof value === "bigint" ? `${value}` : value)),
  ).not.toContain("argon2");
});
