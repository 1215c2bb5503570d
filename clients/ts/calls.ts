import { create } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { Client } from "@connectrpc/connect";
import { ChatMessageSchema } from "../../gen/ts/realmwire/v1/chat_pb.ts";
import type { ChatMessage } from "../../gen/ts/realmwire/v1/chat_pb.ts";
import type { ChatService } from "../../gen/ts/realmwire/v1/chat_service_pb.ts";
import type { EditCommandSchema, ZoneMap } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { Value } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type { EditResponse, WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type {
  LocateCharacterResponse,
  Zone,
  ZoneService,
} from "../../gen/ts/realmwire/v1/zone_service_pb.ts";
import { createUnpack } from "./components.ts";
import { RealmwireError } from "./errors.ts";
import type { Mover } from "./move.ts";
import { collectPages } from "./pages.ts";
import { fromValue, toValue } from "./value.ts";
import type { PlainValue, ValueInput } from "./value.ts";

/** Messages that {@link Calls.messages} answers unless it is told otherwise. */
const MESSAGE_LIMIT = 50;
/** The largest page of messages that the server gives. */
const MESSAGE_PAGE_SIZE = 200;

/** How an edit is carried out. */
export interface EditOptions {
  /** Default: the zone that the caller's character is in. */
  readonly zone?: string;
  /** Checks the commands and changes nothing. */
  readonly dryRun?: boolean;
  /** Rejects with REVISION_CONFLICT unless this is the map's revision. */
  readonly expectedRevision?: number;
}

/** What a player does in the world, one call each. Every call rejects with a {@link RealmwireError}. */
export interface Calls {
  readonly zones: {
    /** All zones of the game, by name. */
    list(): Promise<Zone[]>;
  };
  /** The map of a zone; by default of the one that the caller's character is in. */
  map(zone?: string): Promise<ZoneMap>;
  /** Where a character is, whether its player is there or not. */
  locate(name: string): Promise<LocateCharacterResponse>;
  readonly move: Mover;

  /** Says something to all within earshot. */
  say(text: string): Promise<ChatMessage>;
  /** Says something to one character, wherever it is. */
  tell(to: string, text: string): Promise<ChatMessage>;
  /** Says something to all in the zone. */
  shout(text: string): Promise<ChatMessage>;
  /** What the caller's character heard and said, the newest first. Default: the newest 50. */
  messages(options?: { readonly limit?: number }): Promise<ChatMessage[]>;

  /** Attributes of a character or a thing; no name means the caller's own character, no attributes all that the caller may see. */
  get(name?: string, attributes?: readonly string[]): Promise<Record<string, PlainValue>>;
  /** Replaces an attribute, and answers what it is now. An empty name means the caller's own character. */
  set(name: string, attribute: string, value: ValueInput): Promise<PlainValue>;
  /** Adds to an attribute in one step, and answers what it is now. */
  add(name: string, attribute: string, delta: number | bigint): Promise<PlainValue>;

  /** Changes a map, by all the commands or none. */
  edit(
    commands: readonly MessageInitShape<typeof EditCommandSchema>[],
    options?: EditOptions,
  ): Promise<EditResponse>;
  /** Takes a revision of a map back, as a new revision. */
  undo(revision: number, options?: EditOptions): Promise<EditResponse>;
}

/** What calls are made with. */
export interface CallsOptions {
  readonly world: Client<typeof WorldService>;
  readonly zone: Client<typeof ZoneService>;
  readonly chat: Client<typeof ChatService>;
  readonly move: Mover;
  /** Types of messages that attributes may hold. */
  readonly components: readonly DescMessage[];
}

/** Creates the calls. */
export function createCalls(options: CallsOptions): Calls {
  return {
    ...createPlaceCalls(options),
    ...createChatCalls(options),
    ...createAttributeCalls(options),
    ...createEditCalls(options),
    move: options.move,
  };
}

function createPlaceCalls({ zone }: CallsOptions): Pick<Calls, "zones" | "map" | "locate"> {
  return {
    zones: {
      list: () =>
        collectPages(async (pageToken) => {
          const page = await zone.listZones({ pageToken });
          return { items: page.zones, nextPageToken: page.nextPageToken };
        }),
    },
    async map(name = "") {
      const { map } = await zone.getMap({ zone: name });
      if (map === undefined) throw new RealmwireError(Code.DataLoss, "the answer has no map");
      return map;
    },
    locate: (name) => zone.locateCharacter({ name }),
  };
}

function createChatCalls({
  chat,
}: CallsOptions): Pick<Calls, "say" | "tell" | "shout" | "messages"> {
  const said = ({ message }: { message?: ChatMessage | undefined }): ChatMessage =>
    message ?? create(ChatMessageSchema);
  return {
    say: async (text) => said(await chat.say({ text })),
    tell: async (to, text) => said(await chat.tell({ to, text })),
    shout: async (text) => said(await chat.shout({ text })),
    messages: ({ limit = MESSAGE_LIMIT } = {}) =>
      collectPages(async (pageToken) => {
        const pageSize = Math.min(limit, MESSAGE_PAGE_SIZE);
        const page = await chat.listMessages({ pageSize, pageToken });
        return { items: page.messages, nextPageToken: page.nextPageToken };
      }, limit),
  };
}

function createAttributeCalls(options: CallsOptions): Pick<Calls, "get" | "set" | "add"> {
  const { world, components } = options;
  const unpack = createUnpack(components);
  const plain = (value: Value | undefined): PlainValue => (value ? fromValue(value, unpack) : null);
  return {
    async get(name = "", attributes = []) {
      const response = await world.get({ name, attributes: [...attributes] });
      const entries = Object.entries(response.attributes);
      return Object.fromEntries(entries.map(([key, value]) => [key, plain(value)]));
    },
    async set(name, attribute, value) {
      const change = { case: "value", value: toValue(value) } as const;
      return plain((await world.set({ name, attribute, change })).value);
    },
    async add(name, attribute, delta) {
      const change = { case: "add", value: toValue(delta) } as const;
      return plain((await world.set({ name, attribute, change })).value);
    },
  };
}

function createEditCalls({ world }: CallsOptions): Pick<Calls, "edit" | "undo"> {
  return {
    edit: (commands, options) => world.edit({ ...options, commands: [...commands] }),
    undo: (revision, options) => world.edit({ ...options, undoRevision: revision }),
  };
}
