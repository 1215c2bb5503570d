import type { DescService } from "@bufbuild/protobuf";
import { ConnectError, createClient } from "@connectrpc/connect";
import type { Client, Code, Transport } from "@connectrpc/connect";
import { createWorldView } from "../../clients/ts/index.ts";
import type { WorldFlag, WorldView } from "../../clients/ts/index.ts";
import {
  CounterSchema,
  CreatureSchema,
  PurseSchema,
  SignSchema,
} from "../../gen/ts/meadow/v1/components_pb.ts";
import { AccountService } from "../../gen/ts/realmwire/v1/account_service_pb.ts";
import type { ChatMessage } from "../../gen/ts/realmwire/v1/chat_pb.ts";
import { ChatService } from "../../gen/ts/realmwire/v1/chat_service_pb.ts";
import { ErrorDetailSchema, ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { ErrorDetail } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { Vector } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type {
  MoveRequest,
  MoveResponse,
  UpdateResponse,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { ZoneService } from "../../gen/ts/realmwire/v1/zone_service_pb.ts";
import { createTransport, DEV_PASSWORD } from "./server.ts";
import type { Protocol } from "./server.ts";

/** How long anything that a test waits for may take on a busy machine. What is there sooner costs no time. */
export const DEADLINE_MS = 25_000;

/** The components of the default game. */
export const COMPONENTS = [CreatureSchema, PurseSchema, SignSchema, CounterSchema];

/** A place in the plane, in tiles. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** A logged-in session with the generated clients of all services. */
export interface TestPlayer {
  /** The name of the character. */
  readonly name: string;
  readonly token: string;
  readonly world: Client<typeof WorldService>;
  readonly account: Client<typeof AccountService>;
  readonly zone: Client<typeof ZoneService>;
  readonly chat: Client<typeof ChatService>;
  client<S extends DescService>(service: S): Client<S>;
  /** One Move. */
  move(
    way: "offset" | "destination" | "direction",
    to: Place & { z?: number },
  ): Promise<MoveResponse>;
  /** Attributes as plain values, by the names that were asked for. */
  get(name: string, attributes: readonly string[]): Promise<Record<string, unknown>>;
  position(): Promise<Place>;
  /** Opens an update stream. */
  watch(cursor?: string): Watcher;
  /** Ends all streams that {@link TestPlayer.watch} opened. */
  close(): void;
}

/** An update stream, with the SDK's view of it and a list of everything that it brought. */
export interface Watcher {
  readonly view: WorldView;
  readonly messages: readonly UpdateResponse[];
  /** Names of entities in the order in which they came into view. */
  readonly joined: readonly string[];
  /** Names of entities in the order in which they went out of view. */
  readonly left: readonly string[];
  readonly heard: readonly ChatMessage[];
  readonly flags: readonly WorldFlag[];
  /** The zones of the scenes, in order. */
  readonly scenes: readonly string[];
  /** Why it ended; undefined while it runs. `"done"`: well. */
  readonly end: ConnectError | "done" | undefined;
  /** Resolves with what the condition gives as soon as it gives something; it is asked after each message. */
  until<T>(what: string, condition: () => T | undefined | false): Promise<T>;
  /** Lets at least so many ticks pass on the stream. */
  ticks(count: number): Promise<void>;
  close(): void;
}

let names = 0;

/** A name that no other test of this process uses. */
export function freshName(stem: string): string {
  return `${stem}${(++names).toString(36)}`;
}

/** Creates an account whose name begins with a stem. */
export async function registerPlayer(
  baseUrl: string,
  stem: string,
  protocol: Protocol = "connect",
): Promise<TestPlayer> {
  const name = freshName(stem);
  const anonymous = createClient(WorldService, createTransport(baseUrl, protocol));
  const { token, character } = await anonymous.new({ name, password: DEV_PASSWORD });
  return createTestPlayer(baseUrl, character, token, protocol);
}

/** Logs in to an account; the ready-made ones have the same password as those that tests create. */
export async function loginPlayer(
  baseUrl: string,
  name: string,
  options: { protocol?: Protocol; password?: string; character?: string } = {},
): Promise<TestPlayer> {
  const { protocol = "connect", password = DEV_PASSWORD, character = "" } = options;
  const anonymous = createClient(WorldService, createTransport(baseUrl, protocol));
  const answer = await anonymous.login({ name, password, character });
  return createTestPlayer(baseUrl, answer.character, answer.token, protocol);
}

function createTestPlayer(
  baseUrl: string,
  name: string,
  token: string,
  protocol: Protocol,
): TestPlayer {
  const transport: Transport = createTransport(baseUrl, protocol, token);
  const world = createClient(WorldService, transport);
  const watchers = new Set<Watcher>();
  let sequence = 0;
  return {
    name,
    token,
    world,
    account: createClient(AccountService, transport),
    zone: createClient(ZoneService, transport),
    chat: createClient(ChatService, transport),
    client: (service) => createClient(service, transport),
    move: (way, to) => world.move({ kind: kindOf(way, to), sequence: ++sequence }),
    async get(target, attributes) {
      const answer = await world.get({ name: target, attributes: [...attributes] });
      return Object.fromEntries(
        Object.entries(answer.attributes).map(([key, { kind }]) => [key, kind.value]),
      );
    },
    async position() {
      const { attributes } = await world.get({ attributes: ["position"] });
      const place = attributes["position"]?.kind.value as Vector | undefined;
      return { x: place?.x ?? Number.NaN, y: place?.y ?? Number.NaN };
    },
    watch(cursor = "") {
      const watcher = createWatcher((signal) => world.update({ cursor }, { signal }));
      watchers.add(watcher);
      return watcher;
    },
    close() {
      for (const watcher of watchers) watcher.close();
      watchers.clear();
    },
  };
}

/** A way to move, for requests. */
export function kindOf(way: "offset" | "destination" | "direction", to: Place & { z?: number }) {
  const { x, y, z = 0 } = to;
  return { case: way, value: { $typeName: "realmwire.v1.Vector", x, y, z } } as MoveRequest["kind"];
}

/** Reads a stream into a view until it ends or is closed. */
export function createWatcher(
  open: (signal: AbortSignal) => AsyncIterable<UpdateResponse>,
): Watcher {
  const controller = new AbortController();
  const view = createWorldView({ components: COMPONENTS });
  const messages: UpdateResponse[] = [];
  const joined: string[] = [];
  const left: string[] = [];
  const heard: ChatMessage[] = [];
  const flags: WorldFlag[] = [];
  const scenes: string[] = [];
  const waiting = new Set<() => void>();
  let end: Watcher["end"];
  view.onAdd(({ name }) => joined.push(name));
  view.onRemove(({ name }) => left.push(name));
  view.onEvent((event) => event.case === "chat" && heard.push(event.value));
  view.onFlag((flag) => flags.push(flag));
  view.onScene(({ zone }) => scenes.push(zone));

  const wake = () => {
    for (const check of waiting) check();
  };
  const read = async () => {
    try {
      for await (const message of open(controller.signal)) {
        messages.push(message);
        view.apply(message);
        wake();
      }
      end = "done";
    } catch (error) {
      end = ConnectError.from(error);
    }
    wake();
  };
  void read();

  function until<T>(what: string, condition: () => T | undefined | false): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        waiting.delete(check);
        act();
      };
      const timer = setTimeout(
        () => settle(() => reject(new Error(`waited in vain for: ${what}${state()}`))),
        DEADLINE_MS,
      );
      const check = () => {
        const found = condition();
        if (found !== undefined && found !== false) settle(() => resolve(found));
        else if (end !== undefined) {
          settle(() => reject(new Error(`the stream ended before: ${what}${state()}`)));
        }
      };
      waiting.add(check);
      check();
    });
  }

  const state = () =>
    `; tick ${view.tick}, ${messages.length} messages, scenes ${scenes.join(" ")}, in view ${[
      ...view.entities.values(),
    ]
      .map(({ name }) => name)
      .join(" ")}, end ${String(end)}`;

  return {
    view,
    messages,
    joined,
    left,
    heard,
    flags,
    scenes,
    get end() {
      return end;
    },
    until,
    async ticks(count) {
      const from = await until("a first message", () => view.tick || undefined);
      await until(`${count} ticks`, () => view.tick >= from + count);
    },
    close: () => controller.abort(),
  };
}

/** Resolves when a stream has ended, with what it ended with. */
export async function untilEnd(watcher: Watcher): Promise<ConnectError | "done"> {
  return await watcher.until("the end of the stream", () => watcher.end);
}

/** Resolves with what a function gives as soon as it gives something; for conditions that no stream tells. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  const until = performance.now() + deadlineMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > until) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

/** How a call failed, in the words of the protocol. */
export interface Failure {
  readonly code: Code;
  readonly reason: ErrorReason;
  readonly metadata: Readonly<Record<string, string>>;
  /** The fields that broke rules. */
  readonly fields: readonly string[];
  readonly detail: ErrorDetail | undefined;
  readonly message: string;
}

/** Waits for a call to fail, and reads how. A stream is read until it does. */
export async function failureOf(call: Promise<unknown> | AsyncIterable<unknown>): Promise<Failure> {
  try {
    if (Symbol.asyncIterator in call) for await (const _ of call);
    else await call;
  } catch (error) {
    return readFailure(error);
  }
  throw new Error("the call did not fail");
}

/** Reads how a call failed. */
export function readFailure(error: unknown): Failure {
  const { code, rawMessage } = ConnectError.from(error);
  const [detail] = ConnectError.from(error).findDetails(ErrorDetailSchema);
  return {
    code,
    reason: detail?.reason ?? ErrorReason.UNSPECIFIED,
    metadata: detail?.metadata ?? {},
    fields: detail?.violations.map(({ field }) => field) ?? [],
    detail,
    message: rawMessage,
  };
}
