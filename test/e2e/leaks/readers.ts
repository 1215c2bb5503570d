import type { DescMessage, DescMethod, Message } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import type { Client, Interceptor } from "@connectrpc/connect";
import { ValueSchema } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import { WorldService } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { callRows, ROLE_OF } from "../../../scripts/access-matrix.ts";
import { loadRuledTypes } from "../../../scripts/generated-files.ts";
import { createLeakFinder, readRules } from "../../support/leak-finder.ts";
import type { KnownOwners, Leak, Reader, WorldFacts } from "../../support/leak-finder.ts";
import { namingRequests } from "../../support/naming-requests.ts";
import { PROBE_GAME_COMPONENTS } from "../../support/probe-game.ts";
import { freshName, loginPlayer } from "../../support/player.ts";
import { createTransport, DEV_PASSWORD } from "../../support/server.ts";
import type { Protocol, TestServer } from "../../support/server.ts";

/** The rules that everything is held against. */
export const rules = readRules(PROBE_GAME_COMPONENTS);

const { services } = await loadRuledTypes();

/** Calls that anybody in the world can make with a text or with nothing, other than the one after which nothing comes any more. */
export const anyCalls: readonly DescMethod[] = callRows(services)
  .map(({ method }) => method)
  .filter((method) => method.name !== "Logout" && method.methodKind !== "client_streaming");

/** Those after which a reader whom an admin names sees nothing any more. */
const ENDING: ReadonlySet<string> = new Set(["Ban", "Kick", "ResetPassword"]);

/** Calls after which everybody is still there. */
export const lastingCalls: readonly DescMethod[] = anyCalls.filter(({ name }) => !ENDING.has(name));

/** The types of answers in which attributes can stand. */
export const tellingAnswers: readonly string[] = callRows(services)
  .map(({ method }) => method.output)
  .filter((output) => canTell(output, new Set()))
  .map(({ name }) => name);

function canTell(desc: DescMessage, seen: Set<DescMessage>): boolean {
  if (desc.typeName === AnySchema.typeName || desc.typeName === ValueSchema.typeName) return true;
  if (seen.has(desc)) return false;
  seen.add(desc);
  return desc.fields.some(({ message }) => message !== undefined && canTell(message, seen));
}

/** Somebody all of whose messages are looked through. */
export interface SpiedReader extends Reader {
  readonly world: Client<typeof WorldService>;
  /** Makes a call. Every text in the request is the name; undefined: there is nothing in it. */
  call(method: DescMethod, name: string | undefined): Promise<void>;
  /** Opens the update stream, or closes the open one first: `resumed` goes on where that was. */
  watch(resumed: boolean): Promise<void>;
  /** Closes the update stream. */
  unwatch(): Promise<void>;
  /** Messages that came on update streams. */
  readonly streamed: number;
}

/** All that was found. */
export interface Findings {
  readonly leaks: Leak[];
  /** By the type of the message: fields that were looked at. */
  readonly judged: Map<string, number>;
}

/** Logs somebody in with a new account of this role, and looks through every message that comes. */
export async function spyOn(
  server: TestServer,
  role: Reader["role"],
  protocol: Protocol,
  facts: WorldFacts,
  findings: Findings,
): Promise<SpiedReader> {
  const name = freshName(`spy-${role}-`);
  await server.server.accounts.create({ name, password: DEV_PASSWORD, role: ROLE_OF[role] });
  const { token } = await loginPlayer(server.baseUrl, name);
  const reader: Reader = { name, role };
  let streamed = 0;
  let cursor = "";
  /** What the watched streams told, one after the other; whoever asks once in between may know more. */
  let known: KnownOwners = new Map();
  let isWatching = false;

  function finderOf(owners?: KnownOwners) {
    const finder = createLeakFinder(rules, reader, facts, owners);
    return (method: DescMethod, request: Message, answer: Message) => {
      const before = finder.judged;
      finder.leaks.length = 0;
      finder.read(method.output, answer, request);
      const { name } = method.output;
      const count = finder.judged - before;
      findings.judged.set(name, (findings.judged.get(name) ?? 0) + count);
      findings.leaks.push(...finder.leaks);
    };
  }

  const spy: Interceptor = (next) => async (request) => {
    const response = await next(request);
    if (!response.stream) {
      if (!request.stream) finderOf()(response.method, request.message, response.message);
      return response;
    }
    const owners = isWatching ? known : undefined;
    return { ...response, message: readEach(response.message, response.method, owners) };
  };

  async function* readEach(
    messages: AsyncIterable<Message>,
    method: DescMethod,
    owners: KnownOwners | undefined,
  ) {
    const read = finderOf(owners);
    for await (const message of messages) {
      read(method, message, message);
      yield message as never;
    }
  }

  const transport = createTransport(server.baseUrl, protocol, token, "1.1", [spy]);
  const world = createClient(WorldService, transport);
  let stream: { stop: () => void; ended: Promise<void> } | undefined;

  async function unwatch(): Promise<void> {
    stream?.stop();
    await stream?.ended;
    stream = undefined;
  }

  return {
    ...reader,
    world,
    get streamed() {
      return streamed;
    },
    async call(method, text) {
      const [request] = text === undefined ? [] : namingRequests(method.input, text);
      const input = (request ?? {}) as never;
      if (method.methodKind === "unary") {
        await transport.unary(method as never, undefined, undefined, undefined, input);
        return;
      }
      const once = async function* () {
        yield input;
      };
      const answers = await transport.stream(
        method as never,
        undefined,
        undefined,
        undefined,
        once(),
      );
      for await (const _ of answers.message) return;
    },
    async watch(resumed) {
      await unwatch();
      // Who begins afresh is told everything afresh.
      if (!resumed) {
        cursor = "";
        known = new Map();
      }
      const controller = new AbortController();
      const { signal } = controller;
      const messages = world.update({ cursor }, { signal })[Symbol.asyncIterator]();
      const take = async () => {
        const { value, done } = await messages.next();
        if (done) return false;
        cursor = value.cursor;
        streamed += 1;
        return true;
      };
      // The first message is waited for, so that the character is in the world then.
      isWatching = true;
      await take().finally(() => (isWatching = false));
      const rest = async () => {
        while (await take());
      };
      stream = { stop: () => controller.abort(), ended: rest().catch(() => undefined) };
    },
    unwatch,
  };
}
