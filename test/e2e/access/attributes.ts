import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { ValueSchema } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import type { Value } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import { type Asker, type AttributeRow, attributeRows } from "../../../scripts/access-matrix.ts";
import { CHEST, PROBE_GAME_COMPONENTS } from "../../support/probe-game.ts";
import { readFailure } from "../../support/player.ts";
import type { TestPlayer } from "../../support/player.ts";
import type { TestServer } from "../../support/server.ts";
import { command } from "../../support/values.ts";
import { createAccount, enlist, putChest } from "./cast.ts";

/** Something that has attributes, and who may come and ask for them. */
interface Target {
  readonly what: string;
  readonly name: string;
  readonly isStored: boolean;
  readonly askers: Partial<Record<Asker, TestPlayer>>;
}

/** What came of a Get or a Set: one of these, or what was said. */
const DONE = "done";
const FORBIDDEN = "forbidden";
const NOT_THERE = "not there";
const AWAY = "away";

const rows = attributeRows(PROBE_GAME_COMPONENTS);

/** Who may get and set what of whom: every attribute of every component is asked for by everybody, and goes as its options say. */
export function describeAttributeAccess(server: () => TestServer): void {
  test("the probe has every way in which an attribute can be seen and set", () => {
    const ways = new Set(rows.map(({ sees, sets }) => JSON.stringify([sees, sets])));
    // By visibility 4; by writer 3, since the first two mean the same.
    expect(ways.size).toBe(12);
  });

  test("[PY-8] [PY-9] [PY-14] attributes of characters and things, one's own and those of others", async () => {
    const [owner, stranger, builder, admin, oracle] = await Promise.all(
      (["player", "player", "builder", "admin", "admin"] as const).map((member) =>
        enlist(server(), member),
      ),
    );
    if (!owner || !stranger || !builder || !admin || !oracle)
      throw new Error("somebody is missing");
    for (const player of [owner, stranger, builder, admin, oracle]) await player.position();
    const others = { stranger, builder, admin };
    const here = { isStored: false, askers: { ...others, owner } };
    const targets: Target[] = [
      { what: "a character", name: owner.name, ...here },
      { what: "a chest of somebody's", name: await putChest(builder, owner.name), ...here },
      {
        ...{ what: "a chest of nobody's", name: await putChest(builder, "") },
        ...{ isStored: false, askers: others },
      },
      {
        ...{ what: "a character that is away", name: await createAccount(server(), "player") },
        ...{ isStored: true, askers: others },
      },
    ];
    const wrong: string[] = [];
    const checked = new Set<AttributeRow>();
    for (const target of targets) {
      for (const row of rows) {
        const value = await presentValue(oracle, target, row);
        if (value) checked.add(row);
        wrong.push(...(await tryAll(target, row, value)));
      }
    }
    expect(wrong).toEqual([]);
    // None is left out because nothing has it.
    expect(rows.filter((row) => !checked.has(row)).map(({ name }) => name)).toEqual([]);
  });

  test("[PY-10] [PY-14] things are put with attributes that their editor could set", async () => {
    const editors = {
      builder: await enlist(server(), "builder"),
      admin: await enlist(server(), "admin"),
    };
    const chest = await putChest(editors.builder, "");
    const target = { what: "a chest", name: chest, isStored: false, askers: {} };
    const position = { ...(await editors.builder.position()), z: 0 };
    const wrong: string[] = [];
    for (const row of rows) {
      const value = (await presentValue(editors.admin, target, row)) ?? create(ValueSchema);
      const object = { name: chest, kind: CHEST, position, attributes: { [row.name]: value } };
      const commands = [command({ case: "putObject", value: object })];
      for (const asker of ["builder", "admin"] as const) {
        const edit = editors[asker].world.edit({ commands, dryRun: true });
        const outcome = await outcomeOf(edit);
        const expected = row.sets[asker] ? DONE : FORBIDDEN;
        if (outcome !== expected) wrong.push(`${row.name} put by ${asker}: ${outcome}`);
      }
    }
    expect(wrong).toEqual([]);
  });
}

/** Undefined where the target has no such component. */
async function presentValue(
  oracle: TestPlayer,
  target: Target,
  { name }: AttributeRow,
): Promise<Value | undefined> {
  try {
    const { attributes } = await oracle.world.get({ name: target.name, attributes: [name] });
    return attributes[name];
  } catch (error) {
    if (readFailure(error).reason === ErrorReason.ATTRIBUTE_UNKNOWN) return undefined;
    throw error;
  }
}

/** What went otherwise than the row says. */
async function tryAll(target: Target, row: AttributeRow, value: Value | undefined) {
  const wrong: string[] = [];
  for (const [asker, player] of Object.entries(target.askers) as [Asker, TestPlayer][]) {
    const check = (what: string, may: boolean, outcome: string, whenAllowed: string) => {
      const expected = value === undefined ? NOT_THERE : may ? whenAllowed : FORBIDDEN;
      if (outcome === expected) return;
      wrong.push(`${what} ${row.name} of ${target.what} by ${asker}: ${outcome}, not ${expected}`);
    };
    const { world } = player;
    const wanted = { name: target.name, attributes: [row.name] };
    check("get", row.sees[asker], await outcomeOf(world.get(wanted)), DONE);
    // The present value once more: so the next asker finds the world as it was.
    const change = { case: "value" as const, value: value ?? create(ValueSchema) };
    const set = world.set({ name: target.name, attribute: row.name, change });
    // What is not stored of somebody who is away is nowhere.
    const may = target.isStored && !row.persists ? AWAY : DONE;
    check("set", row.sets[asker], await outcomeOf(set), may);
  }
  return wrong;
}

async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return DONE;
  } catch (error) {
    const { reason, message } = readFailure(error);
    switch (reason) {
      case ErrorReason.ATTRIBUTE_FORBIDDEN:
        return FORBIDDEN;
      case ErrorReason.ATTRIBUTE_UNKNOWN:
        return NOT_THERE;
      case ErrorReason.NOT_ONLINE:
        return AWAY;
      default:
        return message;
    }
  }
}
