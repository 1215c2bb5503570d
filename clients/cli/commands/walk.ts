import { MoveRefusal } from "../../ts/index.ts";
import type { MoveResult } from "../../ts/index.ts";
import { namesInView, viewOf } from "../command.ts";
import type { Answer, Command, Context } from "../command.ts";
import { UsageError } from "../errors.ts";
import { line } from "../terminal/line.ts";
import { matchEntities } from "../language/match.ts";
import { noticeLine } from "../language/messages.ts";
import { directionNames, directionOf } from "../map/directions.ts";
import { refusalText } from "../language/refusals.ts";
import { formatPlace, isNumber, parsePlace } from "../language/values.ts";
import type { Input } from "../language/words.ts";
import { enumName } from "../language/enum-name.ts";

/** The furthest that one command leads, in tiles: as far as the server looks for ways. */
const MAX_TILES = 256;

/** Moving about. */
export const walkCommands: readonly Command[] = [
  {
    name: "walk",
    aliases: ["go", "w"],
    usage: "[<direction> [tiles] | to <x> <y> | to <name>]",
    summary: "walk; without anything, by keys on the live map",
    details: [
      `Directions: ${directionNames().join(", ")}, or their first letters. Without a number one tile.`,
      "The server finds the way around walls. In a script it waits until you are there.",
    ],
    examples: ["walk", "walk north 3", "walk se 2", "walk to 24 22", "walk to well"],
    needs: "login",
    complete: (context, words) => {
      if (words.length === 1) return [...directionNames(), "to"];
      return words.length === 2 && words[0] === "to" ? namesInView(context) : [];
    },
    run: walk,
  },
  {
    name: "stop",
    usage: "",
    summary: "stand still",
    examples: ["stop"],
    needs: "login",
    async run({ client, walks }) {
      walks.forget();
      return answerMove(await client.move.stop(), "You stand at");
    },
  },
  {
    name: "live",
    usage: "",
    summary: "show the map live and walk by keys; Esc leads back",
    details: [
      "Arrow keys, w a s d or h j k l walk; y u b n walk diagonally. A tap is a step, holding a key walks on.",
      "Enter or / opens a line for a command, t one for saying something. Esc or q leads back to the prompt.",
    ],
    examples: ["live"],
    needs: "prompt",
    run: goLive,
  },
];

async function goLive({ prompt }: Context): Promise<Answer> {
  if (!prompt) throw new UsageError("walking by keys needs the prompt: npm run cli");
  await prompt.goLive();
  return { lines: [], data: {} };
}

async function walk(context: Context, input: Input): Promise<Answer> {
  const [first, second, ...more] = input.words;
  if (first === undefined) return await goLive(context);
  if (first === "to") return await walkTo(context, await placeOf(context, input.rest(1)));
  const direction = directionOf(first);
  if (direction === undefined) {
    throw new UsageError(`"${first}" is no direction: ${directionNames().join(", ")}, or \`to\``);
  }
  const tiles = second === undefined ? 1 : Number(second);
  if (!(tiles > 0 && tiles <= MAX_TILES) || more.length > 0) {
    throw new UsageError(`walk takes a number of tiles, more than 0 and at most ${MAX_TILES}`);
  }
  const { self } = await viewOf(context);
  if (self === undefined) throw new UsageError("you are not in the world");
  const { x, y } = self.position;
  return await walkTo(context, {
    x: x + Math.sign(direction.x) * tiles,
    y: y + Math.sign(direction.y) * tiles,
  });
}

async function placeOf(context: Context, wanted: string): Promise<{ x: number; y: number }> {
  if (wanted === "") throw new UsageError("walk to needs a place or a name");
  if (wanted.split(/[\s,]+/).every(isNumber)) return parsePlace(wanted);
  const view = await viewOf(context);
  const found = matchEntities(view.entities.values(), wanted);
  const [entity] = found;
  if (entity === undefined) throw new UsageError(`nothing in view is called "${wanted}"`);
  if (found.length > 1) {
    const names = found.map(({ name }) => name).join(", ");
    throw new UsageError(`"${wanted}" may be ${names}: say more of the name`);
  }
  return entity.position;
}

async function walkTo(context: Context, place: { x: number; y: number }): Promise<Answer> {
  if (context.world) {
    const result = await context.client.move.to(place);
    const answer = answerMove(result, `You walk to ${formatPlace(place)} from`);
    if (result.moved) {
      context.walks.follow(context.world, place).then(
        (outcome) => context.tell(noticeLine(outcome.text, new Date())),
        () => undefined,
      );
    }
    return answer;
  }
  // A script stays until it knows how it went, and with it the stream that tells.
  const world = context.client.connect();
  try {
    await world.ready();
    const result = await context.client.move.to(place);
    if (!result.moved) return answerMove(result, "");
    const { text, position, arrived } = await context.walks.follow(world, place);
    return { lines: [line(text)], data: { moved: true, arrived, position } };
  } finally {
    world.close();
  }
}

function answerMove(result: MoveResult, words: string): Answer {
  const { moved, refusal } = result;
  const { x, y } = result.position;
  if (!moved) throw new WalkRefused(`You cannot go there: ${refusalText(refusal)}.`);
  return {
    lines: [line(`${words} ${formatPlace({ x, y })}.`)],
    data: { moved, refusal: enumName(MoveRefusal, refusal), position: { x, y } },
  };
}

/** Told with exit code 1 in scripts. */
class WalkRefused extends Error {
  override readonly name = "WalkRefused";
}
