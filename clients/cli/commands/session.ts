import { OnlineStatus } from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import type { Session } from "../../ts/index.ts";
import type { Answer, Command, Context } from "../command.ts";
import { UsageError } from "../errors.ts";
import { line, span } from "../terminal/line.ts";
import { hintLine } from "../language/messages.ts";
import { COLORS } from "../terminal/paint.ts";
import type { Input } from "../language/words.ts";
import { enumName } from "../language/enum-name.ts";

const PASSWORD_HELP = [
  "The password is asked for, or taken from REALMWIRE_PASSWORD, or from the first line of the input.",
  "It is never an argument: other users of the machine could read it, and shells remember it.",
];

const MAP_HINT = "`look` draws the map; `live` shows it live, and the keys walk.";

/** Beginning and ending sessions, and choosing who to play. */
export const sessionCommands: readonly Command[] = [
  {
    name: "register",
    usage: "<name> [email]",
    summary: "make an account and its first character, and log in",
    details: PASSWORD_HELP,
    examples: ["register zoe", "register zoe zoe@example.org"],
    needs: "nothing",
    async run(context, { words }) {
      const [name, email, ...more] = words;
      if (name === undefined) throw new UsageError("register needs a name");
      if (more.length > 0) throw new UsageError("register takes a name and an address, no more");
      if (email !== undefined && !email.includes("@")) throw passwordIsNoArgument();
      const password = await newPassword(context);
      context.prompt?.leave();
      return await entered(context, await context.client.register(name, password, email));
    },
  },
  {
    name: "login",
    usage: "<name> [character]",
    summary: "log in; without a character, as the one played last",
    details: PASSWORD_HELP,
    examples: ["login ada", "login ada second-character"],
    needs: "nothing",
    async run(context, { words }) {
      const [name, character, ...more] = words;
      if (name === undefined) throw new UsageError("login needs a name");
      if (more.length > 0) throw passwordIsNoArgument();
      const password = await context.askPassword(`Password of ${name}: `);
      context.prompt?.leave();
      return await entered(context, await context.client.login(name, password, character));
    },
  },
  {
    name: "logout",
    usage: "",
    summary: "end the session on the server, and forget it here",
    examples: ["logout"],
    needs: "login",
    async run({ client, prompt }) {
      prompt?.leave();
      await client.logout();
      return { lines: [line("Logged out.")], data: {} };
    },
  },
  {
    name: "whoami",
    usage: "",
    summary: "tell who is logged in and plays",
    examples: ["whoami"],
    needs: "login",
    run: async ({ client }) => describeSession(client.session),
  },
  {
    name: "characters",
    aliases: ["chars"],
    usage: "[new <name> | delete <name>]",
    summary: "list your characters, make one, delete one for good",
    examples: ["characters", "characters new zoe-the-second", "characters delete zoe-the-second"],
    needs: "login",
    complete: (_, words) => (words.length === 1 ? ["new", "delete"] : []),
    run: runCharacters,
  },
  {
    name: "play",
    usage: "<character>",
    summary: "play another of your characters",
    examples: ["play zoe-the-second"],
    needs: "login",
    complete: async ({ client }) => (await client.characters.list()).map(({ name }) => name),
    async run({ client }, { words }) {
      const [name] = words;
      if (name === undefined) throw new UsageError("play needs the name of one of your characters");
      const character = await client.characters.select(name);
      return {
        lines: [line(`You play ${character.name}, in ${character.zone || "the world"}.`)],
        data: { character: character.name, zone: character.zone },
      };
    },
  },
];

async function runCharacters(context: Context, { words }: Input): Promise<Answer> {
  const { characters } = context.client;
  const [verb, name] = words;
  if (verb === undefined) {
    const all = await characters.list();
    return {
      lines: all.map((character) => [
        span(character.selected ? "▸ " : "  "),
        span(character.name, { bold: true }),
        span(` in ${character.zone || "no zone yet"}`),
        character.online === OnlineStatus.ONLINE
          ? span(", in the world", { color: COLORS.green })
          : span(""),
      ]),
      data: all.map(({ name, zone, online, selected }) => ({
        name,
        zone,
        online: online === OnlineStatus.ONLINE,
        selected,
      })),
    };
  }
  if (name === undefined || (verb !== "new" && verb !== "delete")) {
    throw new UsageError("characters takes `new <name>`, `delete <name>`, or nothing");
  }
  if (verb === "new") {
    const made = await characters.create(name);
    return {
      lines: [line(`${made.name} is made. \`play ${made.name}\` plays it.`)],
      data: { character: made.name },
    };
  }
  const typed = await context.ask(`Type ${name} once more to delete it for good: `);
  if (typed !== undefined && typed !== name) throw new UsageError("Nothing is deleted.");
  await characters.delete(name);
  return { lines: [line(`${name} is deleted.`)], data: { deleted: name } };
}

async function newPassword(context: Context): Promise<string> {
  const password = await context.askPassword("Choose a password, 8 to 128 characters: ");
  // Whoever sees what is typed, or gives it by a script, need not say it twice.
  if (!context.prompt) return password;
  const again = await context.askPassword("Once more: ");
  if (again !== password) throw new UsageError("These were two different passwords.");
  return password;
}

function passwordIsNoArgument(): UsageError {
  return new UsageError("a password is no argument: it is asked for, or REALMWIRE_PASSWORD has it");
}

async function entered(context: Context, session: Session): Promise<Answer> {
  const { lines, data } = describeSession(session);
  if (!context.prompt || session.character === "") return { lines, data };
  await context.prompt.enter();
  return { lines: [...lines, hintLine(MAP_HINT)], data };
}

function describeSession(session: Session | undefined): Answer {
  const name = session?.account.name ?? "";
  const role = enumName(Role, session?.account.role ?? Role.UNSPECIFIED).toLowerCase();
  const character = session?.character ?? "";
  const plays =
    character === "" ? "without a character: `characters new <name>`" : `playing ${character}`;
  return {
    lines: [line(`Logged in as ${name} (${role}), ${plays}.`)],
    data: { account: name, role, character },
  };
}
