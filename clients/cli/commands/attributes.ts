import type { PlainValue } from "../../ts/index.ts";
import { namesInView, viewOf } from "../command.ts";
import type { Answer, Command, Context } from "../command.ts";
import { UsageError } from "../errors.ts";
import { span } from "../terminal/line.ts";
import { matchEntities } from "../language/match.ts";
import { formatValue, parseValue, valueData } from "../language/values.ts";
import type { Input } from "../language/words.ts";

/** Attributes that are no fields of components. */
const GENERAL = ["name", "zone", "position", "velocity"];

/** An attribute of somebody or something; an empty name is the caller's own character. */
interface Target {
  readonly attributes: readonly string[];
  readonly name: string;
}

const CHANGE = /^(?<target>[^=]*?)\s*(?<operator>\+=|-=|=)\s*(?<value>[^]*)$/;

/** Reading and changing attributes. */
export const attributeCommands: readonly Command[] = [
  {
    name: "get",
    usage: "[attribute …] [of <name>]",
    summary: "show attributes: all that you may see, or those you name",
    examples: ["get", "get gold mood", "get of well", "get mood of bob"],
    needs: "login",
    complete: completeTarget,
    run: getAttributes,
  },
  {
    name: "set",
    usage: "<attribute> [of <name>] = <value>",
    summary: "change an attribute; += and -= add and subtract",
    details: [
      "Values: 7, 0.5, yes, no, a text, a name such as online, 24 22 for a place, a, b for a list, 0x00ff for bytes.",
      "How a value is read goes by the attribute's type, which the server tells.",
    ],
    examples: ["set mood = very happy", "set steps += 12", "set count of well = 0"],
    needs: "login",
    complete: completeTarget,
    run: setAttribute,
  },
];

async function getAttributes(context: Context, { words }: Input): Promise<Answer> {
  const target = await resolveTarget(context, words);
  const values = await context.client.get(target.name, target.attributes);
  return answerValues(context, target, values);
}

async function setAttribute(context: Context, input: Input): Promise<Answer> {
  const found = CHANGE.exec(input.rest(0))?.groups;
  if (!found) throw new UsageError("set needs an attribute, = and a value");
  const { target: targetText = "", operator, value: text = "" } = found;
  const target = await resolveTarget(context, targetText.split(/\s+/).filter(Boolean));
  const [attribute] = target.attributes;
  if (attribute === undefined || target.attributes.length > 1) {
    throw new UsageError("set changes one attribute: set mood of well = happy");
  }
  const field = context.types.field(attribute, await typesOf(context, target.name));
  const value = parseValue(unquoted(text.trim()), field);
  if (operator === "=") {
    const now = await context.client.set(target.name, attribute, value);
    return answerValues(context, target, { [attribute]: now });
  }
  if (typeof value !== "number" && typeof value !== "bigint") {
    throw new UsageError(`${attribute} is no number, so nothing can be added to it`);
  }
  const delta = operator === "+=" ? value : -value;
  const now = await context.client.add(target.name, attribute, delta);
  return answerValues(context, target, { [attribute]: now });
}

function unquoted(text: string): string {
  return /^"(?:[^"\\]|\\.)*"$|^'[^']*'$/su.test(text) ? text.slice(1, -1) : text;
}

/** Splits `gold mood of well`, and takes a part of a name for the name, where only one in view fits. */
async function resolveTarget(context: Context, words: readonly string[]): Promise<Target> {
  const of = words.indexOf("of");
  const attributes = (of < 0 ? words : words.slice(0, of)).flatMap((word) =>
    word.split(",").filter(Boolean),
  );
  if (of < 0) {
    await viewOf(context);
    return { attributes, name: "" };
  }
  const wanted = words.slice(of + 1).join(" ");
  if (wanted === "") throw new UsageError("of needs a name");
  const found = matchEntities((await viewOf(context)).entities.values(), wanted);
  // Who is not in view can be asked about all the same, by the full name.
  return { attributes, name: found.length === 1 ? (found[0]?.name ?? wanted) : wanted };
}

async function typesOf(context: Context, name: string): Promise<string[]> {
  const view = await viewOf(context);
  const entity = name === "" ? view.self : view.named(name);
  return [...(entity?.components.keys() ?? [])];
}

async function answerValues(
  context: Context,
  target: Target,
  values: Readonly<Record<string, PlainValue>>,
): Promise<Answer> {
  const types = await typesOf(context, target.name);
  const names = Object.keys(values);
  const width = Math.max(0, ...names.map((name) => name.length));
  return {
    lines: Object.entries(values).map(([name, value]) => [
      span(`${name.padEnd(width)}  `, { dim: true }),
      span(formatValue(value, context.types.field(name, types))),
    ]),
    data: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, valueData(value)])),
  };
}

function completeTarget(context: Context, words: readonly string[]): string[] {
  if (words.at(-2) === "of") return namesInView(context);
  return [...GENERAL, ...context.types.attributes(), "of"];
}
