import { fromJson } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { EditCommandSchema } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import type { EditResponse } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { toValue } from "../../ts/index.ts";
import { namesInView, viewOf } from "../command.ts";
import type { Answer, Command, Context } from "../command.ts";
import { UsageError } from "../errors.ts";
import { line } from "../terminal/line.ts";
import { parsePlace, parseValue } from "../language/values.ts";
import type { Input } from "../language/words.ts";

type Edit = MessageInitShape<typeof EditCommandSchema>;

/** The verbs of `edit`: what follows each, and how it is read. */
const VERBS: ReadonlyMap<string, { readonly usage: string; readonly read: Reader }> = new Map([
  ["put", { usage: "<name> <kind> <x> <y> [attribute=value …]", read: readPut }],
  ["remove", { usage: "<name>", read: oneName((value) => ({ case: "removeObject", value })) }],
  ["tiles", { usage: "<layer> <x> <y> <columns> <rows> <tile> [tile …]", read: readTiles }],
  ["block", { usage: "<x> <y> [columns rows]", read: readBarriers(true) }],
  ["unblock", { usage: "<x> <y> [columns rows]", read: readBarriers(false) }],
  ["spawn", { usage: "<name> <kind> <x> <y> [radius] [count] [seconds]", read: readSpawn }],
  ["remove-spawn", { usage: "<name>", read: oneName((value) => ({ case: "removeSpawn", value })) }],
  ["portal", { usage: "<name> <x> <y> <columns> <rows> <zone> [spawn]", read: readPortal }],
  [
    "remove-portal",
    { usage: "<name>", read: oneName((value) => ({ case: "removePortal", value })) },
  ],
  ["json", { usage: "<commands>", read: readJson }],
]);

type Reader = (words: readonly string[], context: Context) => readonly Edit[];

/** Changing the map. */
export const buildCommands: readonly Command[] = [
  {
    name: "edit",
    usage: "[check] <verb> …",
    summary: "change the map of the zone you are in; for builders",
    details: [
      ...[...VERBS].map(([verb, { usage }]) => `edit ${verb} ${usage}`),
      "`check` before the verb tries it and changes nothing. `edit json` takes a list of realmwire.v1.EditCommand, carried out all or none.",
    ],
    examples: [
      'edit put notice signpost 30 24 text="Built while you watched."',
      "edit check block 30 25 2 1",
      "edit remove notice",
    ],
    needs: "login",
    complete: (context, words) => {
      if (words.length === 1) return ["check", ...VERBS.keys()];
      return words[0] === "remove" ? namesInView(context) : [];
    },
    run: edit,
  },
  {
    name: "undo",
    usage: "<revision>",
    summary: "take a revision of the map back, as a new one; for builders",
    examples: ["undo 2"],
    needs: "login",
    async run({ client }, { words }) {
      const revision = Number(words[0]);
      if (!Number.isInteger(revision) || revision < 1) {
        throw new UsageError("undo needs the number of a revision");
      }
      return answerEdit(await client.undo(revision), "");
    },
  },
];

async function edit(context: Context, { words }: Input): Promise<Answer> {
  const dryRun = words[0] === "check";
  const [verb = "", ...rest] = dryRun ? words.slice(1) : words;
  const found = VERBS.get(verb);
  if (!found) {
    throw new UsageError(`edit takes one of ${[...VERBS.keys()].join(", ")}, not "${verb}"`);
  }
  await viewOf(context);
  const commands = found.read(rest, context);
  return answerEdit(await context.client.edit(commands, { dryRun }), dryRun ? "Tried only: " : "");
}

function answerEdit({ revision, region }: EditResponse, lead: string): Answer {
  const { x = 0, y = 0, width = 0, height = 0 } = region ?? {};
  return {
    lines: [line(`${lead}revision ${revision}, ${width} × ${height} tiles at ${x}, ${y}.`)],
    data: { revision, region: { x, y, width, height } },
  };
}

function readPut(words: readonly string[], { types }: Context): readonly Edit[] {
  const [name, kind, x, y, ...pairs] = words;
  if (name === undefined || kind === undefined || y === undefined) throw usageOf("put");
  const attributes = Object.fromEntries(
    pairs.map((pair) => {
      const [, attribute, text] = /^([^=]+)=(.*)$/su.exec(pair) ?? [];
      if (attribute === undefined || text === undefined) throw usageOf("put");
      const plain = text.replace(/^(["'])(.*)\1$/su, "$2");
      return [attribute, toValue(parseValue(plain, types.field(attribute)))];
    }),
  );
  const value = { name, kind, position: parsePlace(`${x} ${y}`), attributes };
  return [{ kind: { case: "putObject", value } }];
}

function readTiles(words: readonly string[]): readonly Edit[] {
  const [layer, x, y, columns, rows, ...tiles] = words;
  if (layer === undefined || tiles.length === 0) throw usageOf("tiles");
  const region = readRegion([x, y, columns, rows], "tiles");
  const numbers = tiles.map((tile) => wholeNumber(tile, "tiles"));
  return [{ kind: { case: "setTiles", value: { layer, region, tiles: numbers } } }];
}

function readBarriers(blocked: boolean): Reader {
  const verb = blocked ? "block" : "unblock";
  return (words) => {
    const [x, y, columns = "1", rows = "1"] = words;
    const region = readRegion([x, y, columns, rows], verb);
    return [{ kind: { case: "setBarriers", value: { region, blocked } } }];
  };
}

function readSpawn(words: readonly string[]): readonly Edit[] {
  const [name, kind, x, y, radius = "0", count = "1", seconds = "60"] = words;
  if (name === undefined || kind === undefined || y === undefined) throw usageOf("spawn");
  const value = {
    name,
    kind,
    position: parsePlace(`${x} ${y}`),
    radius: Number(radius),
    count: wholeNumber(count, "spawn"),
    respawnS: Number(seconds),
  };
  return [{ kind: { case: "putSpawn", value } }];
}

function readPortal(words: readonly string[]): readonly Edit[] {
  const [name, x, y, columns, rows, targetZone, targetSpawn = ""] = words;
  if (name === undefined || targetZone === undefined) throw usageOf("portal");
  const region = readRegion([x, y, columns, rows], "portal");
  return [{ kind: { case: "putPortal", value: { name, region, targetZone, targetSpawn } } }];
}

function readJson(words: readonly string[]): readonly Edit[] {
  try {
    const parsed: unknown = JSON.parse(words.join(" "));
    const list: unknown[] = Array.isArray(parsed) ? parsed : [parsed];
    return list.map((item) => fromJson(EditCommandSchema, item as Parameters<typeof fromJson>[1]));
  } catch (error) {
    throw new UsageError(
      `edit json: ${error instanceof Error ? error.message : String(error)}; in the prompt put it in '…'`,
    );
  }
}

function oneName(make: (name: string) => Edit["kind"]): Reader {
  return (words) => {
    const [name] = words;
    if (name === undefined || words.length > 1) throw new UsageError("this verb takes one name");
    return [{ kind: make(name) ?? { case: undefined } }];
  };
}

function readRegion(parts: readonly (string | undefined)[], verb: string) {
  const [x, y, width, height] = parts.map((part) => wholeNumber(part, verb));
  if (x === undefined || y === undefined || width === undefined || height === undefined) {
    throw usageOf(verb);
  }
  return { x, y, width, height };
}

function wholeNumber(text: string | undefined, verb: string): number {
  if (text === undefined || !/^-?\d+$/.test(text)) throw usageOf(verb);
  return Number(text);
}

function usageOf(verb: string): UsageError {
  return new UsageError(`edit ${verb} takes ${VERBS.get(verb)?.usage}`);
}
