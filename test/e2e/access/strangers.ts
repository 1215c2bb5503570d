import type { Message } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { AccountService } from "../../../gen/ts/realmwire/v1/account_service_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { callRows } from "../../../scripts/access-matrix.ts";
import { loadRuledTypes } from "../../../scripts/generated-files.ts";
import { callAny, nameOf } from "../../support/any-call.ts";
import { namingRequests } from "../../support/naming-requests.ts";
import type { TestPlayer } from "../../support/player.ts";
import type { TestServer } from "../../support/server.ts";
import { valueOf } from "../../support/values.ts";
import { enlist, putChest } from "./cast.ts";

/** A text that stands in attributes that are for their owner alone. */
const SECRET = "for-my-eyes-only";

const { services } = await loadRuledTypes();
const rows = callRows(services);

/** Nobody gets at what belongs to another: not by any call, in whatever field its name stands. */
export function describeStrangers(server: () => TestServer): void {
  test("every call that has room for a name is made with one that passes its rules", async () => {
    const tried = rows.filter(({ method }) => namingRequests(method.input, "somebody").length > 0);
    expect(tried.length).toBeGreaterThan(12);
    const never: string[] = [];
    for (const { method, may } of tried) {
      // A session each, since some calls end it, or that of who has a character of the name.
      const { token } = await enlist(server(), may.player ? "player" : "admin");
      const reasons = await Promise.all(
        namingRequests(method.input, "somebody").map(
          async (request) =>
            (await callAny(server().baseUrl, method, { token, request })).failure?.reason,
        ),
      );
      if (reasons.every((reason) => reason === ErrorReason.INVALID_FIELDS)) {
        never.push(nameOf(method));
      }
    }
    // A page token and a version are no names; what has none of its own needs more than a name.
    expect(never).toEqual([
      "AccountService/ListCharacters",
      "AdminService/ListUsers",
      "AdminService/SetRole",
      "AdminService/Drain",
      "ChatService/ListMessages",
      "ReleaseService/PublishRelease",
      "ZoneService/ListZones",
    ]);
  });

  test("[PY-14] a stranger who names a character or its things in every call changes and learns nothing", async () => {
    const victim = await enlist(server(), "player");
    const builder = await enlist(server(), "builder");
    const oracle = await enlist(server(), "admin");
    await victim.position();
    const chest = await putChest(builder, victim.name);
    for (const name of ["", chest]) {
      const change = { case: "value" as const, value: valueOf(SECRET) };
      await victim.world.set({ name, attribute: "notes", change });
    }
    const before = await stateOf(oracle, victim, chest);
    expect(before.things.map((thing) => thing["notes"])).toEqual([
      valueOf(SECRET),
      valueOf(SECRET),
    ]);
    for (const { method } of rows) {
      for (const name of [victim.name, chest]) {
        for (const request of namingRequests(method.input, name)) {
          // A session each, since some calls end it.
          const { token } = await enlist(server(), "player");
          const { answer, failure } = await callAny(server().baseUrl, method, { token, request });
          const said = answer ? textOf(answer) : (failure?.message ?? "");
          expect(said, nameOf(method)).not.toContain(SECRET);
          expect(failure?.reason, nameOf(method)).not.toBe(ErrorReason.UNSPECIFIED);
        }
      }
    }
    expect(await stateOf(oracle, victim, chest)).toEqual(before);
  });
}

/** All that is the victim's: attributes, and, by a session that must still work, the account's characters. */
async function stateOf(oracle: TestPlayer, victim: TestPlayer, chest: string) {
  const things = await Promise.all(
    [victim.name, chest].map(async (name) => (await oracle.world.get({ name })).attributes),
  );
  const { characters } = await victim.client(AccountService).listCharacters({});
  return { things, characters };
}

function textOf(message: Message): string {
  return JSON.stringify(message, (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
}
