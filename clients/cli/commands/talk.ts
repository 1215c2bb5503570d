import { timestampDate } from "@bufbuild/protobuf/wkt";
import { ChatKind } from "../../../gen/ts/realmwire/v1/chat_pb.ts";
import type { ChatMessage } from "../../../gen/ts/realmwire/v1/chat_pb.ts";
import type { Answer, Command, Context } from "../command.ts";
import { namesInView } from "../command.ts";
import { UsageError } from "../errors.ts";
import { hintLine, chatLine } from "../language/messages.ts";
import { enumName } from "../language/enum-name.ts";

/** Messages that are shown unless somebody asks for another number. */
const MESSAGES = 20;
/** Messages that the server keeps. */
const MAX_MESSAGES = 200;

/** Talking and listening. */
export const talkCommands: readonly Command[] = [
  {
    name: "say",
    usage: "<text>",
    summary: "say something to all within earshot",
    examples: ["say hello there"],
    needs: "login",
    async run(context, input) {
      const text = input.rest(0);
      if (text === "") throw new UsageError("say needs something to say");
      return said(context, await context.client.say(text));
    },
  },
  {
    name: "tell",
    aliases: ["t"],
    usage: "<character> <text>",
    summary: "say something to one character, wherever it is",
    examples: ["tell bob meet me at the well"],
    needs: "login",
    complete: (context, words) => (words.length === 1 ? namesInView(context) : []),
    async run(context, input) {
      const [to] = input.words;
      const text = input.rest(1);
      if (to === undefined || text === "") throw new UsageError("tell needs a name and a text");
      return said(context, await context.client.tell(to, text));
    },
  },
  {
    name: "shout",
    usage: "<text>",
    summary: "say something to all in the zone",
    examples: ["shout the gate is open"],
    needs: "login",
    async run(context, input) {
      const text = input.rest(0);
      if (text === "") throw new UsageError("shout needs something to shout");
      return said(context, await context.client.shout(text));
    },
  },
  {
    name: "messages",
    usage: "[number]",
    summary: `show what was said lately, with time and sender; ${MESSAGES} unless told otherwise`,
    examples: ["messages", "messages 100"],
    needs: "login",
    async run({ client }, { words }) {
      const limit = words[0] === undefined ? MESSAGES : Number(words[0]);
      if (!Number.isInteger(limit) || limit < 1 || limit > MAX_MESSAGES) {
        throw new UsageError(`messages takes a number from 1 to ${MAX_MESSAGES}`);
      }
      const messages = (await client.messages({ limit })).toReversed();
      const self = client.session?.character ?? "";
      const now = new Date();
      return {
        lines:
          messages.length === 0
            ? [hintLine("Nothing was said yet.")]
            : messages.map((message) => chatLine(message, self, now)),
        data: messages.map(messageData),
      };
    },
  },
];

/** In the prompt what was said comes back on the stream, like everything that is heard; a script shows it itself. */
function said({ client, world }: Context, message: ChatMessage): Answer {
  const self = client.session?.character ?? "";
  const isHeard = world?.state.kind === "connected" && message.kind !== ChatKind.TELL;
  return {
    lines: isHeard ? [] : [chatLine(message, self, new Date())],
    data: messageData(message),
  };
}

function messageData({ kind, from, to, zone, text, time }: ChatMessage): object {
  return {
    kind: enumName(ChatKind, kind).toLowerCase(),
    from,
    ...(to !== "" && { to }),
    zone,
    text,
    time: time && timestampDate(time).toISOString(),
  };
}
