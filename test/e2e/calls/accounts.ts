import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { OnlineStatus } from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import { WorldService } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { failureOf, freshName, readFailure, untilEnd } from "../../support/player.ts";
import { DEV_PASSWORD } from "../../support/server.ts";
import { isSamePlace, stepSomewhere } from "../../support/walking.ts";
import type { CallsServer } from "./context.ts";

const REPLACED = { code: Code.Unauthenticated, reason: ErrorReason.SESSION_REPLACED };

/** Version, New, Login, and what AccountService does with sessions and characters. */
export function describeAccounts(server: () => CallsServer): void {
  const anonymous = () => server().client(WorldService);

  test("[PY-1] Version, before login", async () => {
    const before = Date.now();
    const answer = await anonymous().version({});
    expect(answer).toMatchObject({ protocol: "v1", server: "0.0.0-test", commit: "test" });
    expect(answer.game).toBe("meadow");
    expect(answer.clients.map(({ platform, version }) => [platform, version])).toContainEqual([
      "typescript",
      "0.0.0-test",
    ]);
    const at = Number(answer.serverTime?.seconds) * 1000;
    expect(Math.abs(at - before)).toBeLessThan(60_000);
  });

  describe("New", () => {
    test("[PY-4] [SM-1] creates the account and its character, and logs in", async () => {
      const name = freshName("Neo");
      const answer = await anonymous().new({ name, password: DEV_PASSWORD, email: "a@b.example" });
      expect(answer.account).toMatchObject({ name, role: Role.PLAYER, email: "a@b.example" });
      expect(answer.character).toBe(name);
      expect(answer.characters).toMatchObject([{ name, zone: "town", selected: true }]);
      const { attributes } = await server().client(WorldService, answer.token).get({});
      expect(attributes["name"]?.kind.value).toBe(name);
      expect(Number(answer.expiresAt?.seconds) * 1000).toBeGreaterThan(Date.now() + 86_400_000);
    });

    test.each([
      ["an empty name", { name: "" }, ["name"]],
      ["a name of one letter", { name: "A" }, ["name"]],
      ["a name that is too long", { name: "A".repeat(25) }, ["name"]],
      ["a name that begins with a digit", { name: "1abc" }, ["name"]],
      ["a name with a space", { name: "a b" }, ["name"]],
      ["a name with markup", { name: "a<b>" }, ["name"]],
      ["an empty password", { password: "" }, ["password"]],
      ["a short password", { password: "1234567" }, ["password"]],
      ["a password that is too long", { password: "p".repeat(129) }, ["password"]],
      ["an address that is none", { email: "nobody" }, ["email"]],
      ["everything wrong", { name: "", password: "", email: "@" }, ["email", "name", "password"]],
    ])("[AL-3] [SM-1] refuses %s and names the field", async (_, part, fields) => {
      const request = { name: freshName("Bad"), password: DEV_PASSWORD, ...part };
      const failure = await failureOf(anonymous().new(request));
      expect(failure).toMatchObject({
        code: Code.InvalidArgument,
        reason: ErrorReason.INVALID_FIELDS,
      });
      expect([...new Set(failure.fields)].sort()).toEqual(fields);
    });

    test("[SM-1] a taken name is refused, also in other cases and other forms of its letters", async () => {
      const name = freshName("Ｔaken");
      await anonymous().new({ name, password: DEV_PASSWORD });
      for (const other of [name, name.toUpperCase(), name.normalize("NFKC").toLowerCase()]) {
        const failure = await failureOf(anonymous().new({ name: other, password: DEV_PASSWORD }));
        expect(failure).toMatchObject({
          code: Code.AlreadyExists,
          reason: ErrorReason.NAME_TAKEN,
          metadata: { name: other },
        });
      }
    });

    test("[SM-1] two accounts may share an address", async () => {
      const email = "shared@example.org";
      for (const name of [freshName("Twin"), freshName("Twin")]) {
        const { account } = await anonymous().new({ name, password: DEV_PASSWORD, email });
        expect(account?.email).toBe(email);
      }
    });

    test("two who ask for one name at once: one gets it", async () => {
      const name = freshName("Race");
      const results = await Promise.allSettled(
        [name, name.toLowerCase()].map((asked) =>
          anonymous().new({ name: asked, password: DEV_PASSWORD }),
        ),
      );
      const failures = results.flatMap((result) =>
        result.status === "rejected" ? [readFailure(result.reason).reason] : [],
      );
      expect(failures).toEqual([ErrorReason.NAME_TAKEN]);
    });
  });

  describe("Login", () => {
    test("[PY-3] gives a session; upper and lower case of the name are the same", async () => {
      const { name } = await server().player("Log");
      const answer = await anonymous().login({ name: name.toLowerCase(), password: DEV_PASSWORD });
      expect(answer).toMatchObject({ character: name, account: { name } });
      const { attributes } = await server().client(WorldService, answer.token).get({});
      expect(attributes["name"]?.kind.value).toBe(name);
    });

    test("[SM-2] a wrong password and an unknown name are answered alike, to the last byte", async () => {
      const { name } = await server().player("Sec");
      const ask = async (request: object) => {
        const url = `${server().baseUrl}/realmwire.v1.WorldService/Login`;
        const headers = { "content-type": "application/json" };
        const answer = await fetch(url, {
          method: "POST",
          headers,
          body: JSON.stringify(request),
        });
        const names = [...answer.headers.keys()].filter((header) => header !== "date");
        return { status: answer.status, names, body: await answer.text() };
      };
      const wrong = await ask({ name, password: "not the password" });
      const unknown = await ask({ name: freshName("Nobody"), password: "not the password" });
      expect(wrong.status).toBe(401);
      expect(unknown).toEqual(wrong);
      const failure = await failureOf(anonymous().login({ name, password: "not it" }));
      expect(failure.reason).toBe(ErrorReason.CREDENTIALS_WRONG);
    });

    test("an unknown character is an error of its own", async () => {
      const { name } = await server().player("Log");
      const request = { name, password: DEV_PASSWORD, character: "nobody" };
      expect(await failureOf(anonymous().login(request))).toMatchObject({
        code: Code.NotFound,
        reason: ErrorReason.CHARACTER_UNKNOWN,
        metadata: { name: "nobody" },
      });
    });

    test("[JW-6] a second login of the character replaces the first, which stays in its place", async () => {
      const first = await server().player("Dup");
      const neighbour = await server().player("Nei");
      const sees = neighbour.watch();
      const stream = first.watch();
      await stream.until("a scene", () => stream.view.self);
      await sees.until("the first", () => sees.view.named(first.name));
      const { position } = await stepSomewhere(first);
      const second = await server().login(first.name);
      expect(await untilEnd(stream).then(readFailure)).toMatchObject(REPLACED);
      expect(await failureOf(first.position())).toMatchObject(REPLACED);

      const next = second.watch();
      const isThere = () => isSamePlace(next.view.self?.position, position) || undefined;
      await next.until("the place where it stepped", isThere);
      await sees.ticks(3);
      const about = (names: readonly string[]) => names.filter((name) => name === first.name);
      expect(about(sees.joined)).toHaveLength(1);
      expect(about(sees.left)).toHaveLength(0);
      // The old session stays dead and disturbs the new one no more.
      expect(await failureOf(first.world.update({}))).toMatchObject(REPLACED);
      await next.ticks(2);
      second.close();
      neighbour.close();
    });
  });

  describe("sessions", () => {
    test("[SM-4] after a logout the token works nowhere", async () => {
      const player = await server().player("Out");
      const stream = player.watch();
      await stream.until("a scene", () => stream.view.self);
      await player.account.logout({});
      const ended = { code: Code.Unauthenticated, reason: ErrorReason.TOKEN_INVALID };
      expect(await untilEnd(stream).then(readFailure)).toMatchObject(ended);
      for (const call of [
        player.world.get({}),
        player.account.listCharacters({}),
        player.chat.say({ text: "hello" }),
        player.zone.listZones({}),
      ]) {
        expect(await failureOf(call)).toMatchObject(ended);
      }
      expect(await failureOf(player.world.update({}))).toMatchObject(ended);
    });

    test("a change of the password ends the account's other sessions", async () => {
      const password = "another secret";
      const one = await server().player("Pas");
      const { character } = await one.account.createCharacter({ name: freshName("Alt") });
      const other = await server().login(one.name, {
        character: character?.name ?? "",
      });
      const stream = other.watch();
      await stream.until("a scene", () => stream.view.self);
      const wrong = one.account.changePassword({ oldPassword: "wrong", newPassword: password });
      expect((await failureOf(wrong)).reason).toBe(ErrorReason.CREDENTIALS_WRONG);
      const short = one.account.changePassword({ oldPassword: DEV_PASSWORD, newPassword: "x" });
      expect((await failureOf(short)).fields).toEqual(["new_password"]);
      await other.position();

      await one.account.changePassword({ oldPassword: DEV_PASSWORD, newPassword: password });
      const ended = { code: Code.Unauthenticated, reason: ErrorReason.TOKEN_INVALID };
      expect(await untilEnd(stream).then(readFailure)).toMatchObject(ended);
      expect(await failureOf(other.position())).toMatchObject(ended);
      await one.position();
      expect((await failureOf(server().login(one.name))).reason).toBe(
        ErrorReason.CREDENTIALS_WRONG,
      );
      await server().login(one.name, { password });
    });
  });

  describe("characters", () => {
    test("[SM-5] are created, listed in pages, and deleted", async () => {
      const player = await server().player("Cha");
      const names = [player.name];
      for (const stem of ["Zwei", "Éva", "drei"]) {
        const name = freshName(stem);
        const { character } = await player.account.createCharacter({ name });
        expect(character).toMatchObject({ name, selected: false, online: OnlineStatus.OFFLINE });
        names.push(name);
      }
      const listed: string[] = [];
      for (let pageToken = ""; ;) {
        const page = await player.account.listCharacters({ pageSize: 2, pageToken });
        listed.push(...page.characters.map(({ name }) => name));
        pageToken = page.nextPageToken;
        if (pageToken === "") break;
      }
      expect(listed.toSorted()).toEqual(names.toSorted());
      expect(listed).toHaveLength(4);

      const [, second = ""] = names;
      const taken = player.account.createCharacter({ name: second.toUpperCase() });
      expect((await failureOf(taken)).reason).toBe(ErrorReason.NAME_TAKEN);
      const bad = player.account.createCharacter({ name: "no good" });
      expect((await failureOf(bad)).fields).toEqual(["name"]);
      await player.account.deleteCharacter({ name: second });
      const again = player.account.deleteCharacter({ name: second });
      expect((await failureOf(again)).reason).toBe(ErrorReason.CHARACTER_UNKNOWN);
      const own = player.account.deleteCharacter({ name: player.name });
      expect((await failureOf(own)).reason).toBe(ErrorReason.CHARACTER_IN_USE);
      // The name is free again.
      await player.account.createCharacter({ name: second });
    });

    test("[SM-5] an account may have ten, and none of anybody else's", async () => {
      const player = await server().player("Ten");
      const other = await server().player("Oth");
      for (let i = 1; i < 10; i++) await player.account.createCharacter({ name: freshName("Ten") });
      const eleventh = player.account.createCharacter({ name: freshName("Ten") });
      expect(await failureOf(eleventh)).toMatchObject({
        code: Code.FailedPrecondition,
        reason: ErrorReason.TOO_MANY_CHARACTERS,
        metadata: { limit: "10" },
      });
      for (const call of [
        player.account.selectCharacter({ name: other.name }),
        player.account.deleteCharacter({ name: other.name }),
      ]) {
        expect((await failureOf(call)).reason).toBe(ErrorReason.CHARACTER_UNKNOWN);
      }
    });

    test("[SM-5] [SM-6] selecting one ends the stream, and the other enters in its place", async () => {
      const player = await server().player("Sel");
      const neighbour = await server().player("Nei");
      const sees = neighbour.watch();
      const stream = player.watch();
      await stream.until("a scene", () => stream.view.self);
      await sees.until("the first", () => sees.view.named(player.name));
      const alt = freshName("Alt");
      await player.account.createCharacter({ name: alt });
      const { character } = await player.account.selectCharacter({ name: alt });
      expect(character).toMatchObject({ name: alt, selected: true });
      expect(await untilEnd(stream).then(readFailure)).toMatchObject({
        code: Code.Aborted,
        reason: ErrorReason.CHARACTER_CHANGED,
      });
      await sees.until("leaving", () => sees.view.named(player.name) === undefined);

      const next = player.watch(stream.messages.at(-1)?.cursor);
      await next.until("a scene", () => next.view.self);
      expect(next.view.self?.name).toBe(alt);
      await sees.until("the second", () => sees.view.named(alt));
      const { characters } = await player.account.listCharacters({});
      expect(Object.fromEntries(characters.map(({ name, online }) => [name, online]))).toEqual({
        [player.name]: OnlineStatus.OFFLINE,
        [alt]: OnlineStatus.ONLINE,
      });
      // The account plays that one again at its next login.
      const again = await server().login(player.name);
      expect(again.name).toBe(alt);
      neighbour.close();
      again.close();
    });
  });
}
