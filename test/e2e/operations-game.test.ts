import { Code, createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError, defineService } from "../../server/game.ts";
import type { Call, GameDeps } from "../../server/game.ts";
import { loadGame } from "../../server/load-game.ts";
import { describeGuild, GUILD_BURST } from "../support/guild-service.ts";
import { failureOf, loginPlayer } from "../support/player.ts";
import { createTransport, PROTOCOLS, root, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";

const guild = describeGuild();
let server: TestServer;

/** What a game would write. */
function guildService({ whereIs }: GameDeps) {
  return defineService(guild, {
    whereAmI(_, { session }: Call) {
      const place = whereIs(session?.character?.name ?? "");
      if (place) return { value: `${session?.accountName} in ${place.zone}` };
      throw new DomainError(ErrorReason.NOT_ONLINE, "you are not in the world");
    },
    disband: () => ({ value: "disbanded" }),
  });
}

beforeAll(async () => {
  const meadow = await loadGame(`${root}/games/meadow`);
  const game = { ...meadow.game, id: "guilds", services: (deps: GameDeps) => [guildService(deps)] };
  server = await startTestServer({ game: { ...meadow, game } });
});

afterAll(() => server?.dispose());

test.each(PROTOCOLS)("a game's own call obeys its access, over %s", async (protocol) => {
  const stranger = createClient(guild, createTransport(server.baseUrl, protocol));
  expect(await failureOf(stranger.whereAmI({}))).toMatchObject({
    code: Code.Unauthenticated,
    reason: ErrorReason.LOGIN_REQUIRED,
  });
  const bob = await loginPlayer(server.baseUrl, "bob", { protocol });
  const own = bob.client(guild);
  expect(await failureOf(own.disband({}))).toMatchObject({ code: Code.PermissionDenied });
  const builder = await loginPlayer(server.baseUrl, "builder", { protocol });
  expect(await builder.client(guild).disband({})).toMatchObject({ value: "disbanded" });
});

test("its handlers know who calls and where that is, and their meant errors arrive as such", async () => {
  const ada = await loginPlayer(server.baseUrl, "ada");
  const own = ada.client(guild);
  expect(await failureOf(own.whereAmI({}))).toMatchObject({ reason: ErrorReason.NOT_ONLINE });
  await ada.get("", ["name"]);
  expect(await own.whereAmI({})).toMatchObject({ value: "ada in town" });
});

test("its limit counts", async () => {
  const admin = await loginPlayer(server.baseUrl, "admin");
  const own = admin.client(guild);
  await admin.get("", ["name"]);
  const calls = Array.from({ length: GUILD_BURST + 3 }, () => own.whereAmI({}));
  const outcomes = await Promise.allSettled(calls);
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(GUILD_BURST);
  expect(await failureOf(own.whereAmI({}))).toMatchObject({
    code: Code.ResourceExhausted,
    reason: ErrorReason.TOO_MANY_CALLS,
  });
});

test("its service is listed with the others", async () => {
  const page = await (await fetch(server.baseUrl)).text();
  expect(page).toContain("guild.v1.GuildService");
  expect(page).toContain("realmwire.v1.WorldService");
});
