import type { DescMessage } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import type { Client, Transport } from "@connectrpc/connect";
import { AccountService } from "../../gen/ts/realmwire/v1/account_service_pb.ts";
import { ChatService } from "../../gen/ts/realmwire/v1/chat_service_pb.ts";
import { ReleaseService } from "../../gen/ts/realmwire/v1/release_service_pb.ts";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { VersionResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { ZoneService } from "../../gen/ts/realmwire/v1/zone_service_pb.ts";
import { createCalls } from "./calls.ts";
import type { Calls } from "./calls.ts";
import { createSystemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";
import { createEmitter, reportToConsole } from "./emitter.ts";
import type { ListenerErrorHandler, Unsubscribe } from "./emitter.ts";
import { createMover } from "./move.ts";
import { createPatience, DEFAULT_PATIENCE_MS } from "./patience.ts";
import { createSessionKeeper } from "./session.ts";
import type { SessionKeeper } from "./session.ts";
import { createMemoryStorage } from "./storage.ts";
import type { Storage } from "./storage.ts";
import { createGameTransport } from "./transport.ts";
import type { GameTransportOptions } from "./transport.ts";
import { openWorld } from "./world.ts";
import type { World, WorldOptions } from "./world.ts";
import { createWorldView } from "./world-view.ts";
import type { WorldFlag, WorldView } from "./world-view.ts";

/** What a client is made with. */
export interface RealmwireOptions extends Pick<
  GameTransportOptions,
  "baseUrl" | "protocol" | "fetch" | "createTransport" | "callTimeoutMs"
> {
  /**
   * Whether moves go out on one stream while a world is open, which is far cheaper for the server: for transports that can send a stream, such as those
   * of `@connectrpc/connect-node` over HTTP/2. Default: no, since `fetch` cannot.
   */
  readonly streamsMoves?: boolean;
  /** Where the session outlives the program. Default: nowhere. */
  readonly storage?: Storage;
  /** Types of the game's components and events, to have them decoded as they arrive. */
  readonly components?: readonly DescMessage[];
  /** How long `login` and `register` wait for a server that has too many of them, in milliseconds. Default: a minute. */
  readonly patienceMs?: number;
  /** Default: the clock of the machine. */
  readonly clock?: Clock;
  /** Numbers from 0 to below 1, for the length of pauses. Default: `Math.random`. */
  readonly random?: () => number;
  /** Where errors of listeners go. Default: the console. */
  readonly onListenerError?: ListenerErrorHandler;
}

/** How a world is kept open. */
export type ConnectOptions = Pick<WorldOptions, "reconnect" | "silenceMs" | "firstMessageMs">;

/** A client of one server. Every call rejects with a `RealmwireError`. */
export interface Realmwire extends Calls, Omit<SessionKeeper, "current"> {
  /** The generated clients, with the session's token added to each call. */
  readonly world: Client<typeof WorldService>;
  readonly account: Client<typeof AccountService>;
  readonly zone: Client<typeof ZoneService>;
  readonly chat: Client<typeof ChatService>;
  readonly release: Client<typeof ReleaseService>;
  /** Carries the calls of a game's own services: `createClient(MyService, client.transport)`. */
  readonly transport: Transport;

  /** Who is logged in. */
  readonly session: SessionKeeper["current"];
  version(): Promise<VersionResponse>;
  /** What is in view at the moment, without a stream. The view stays as it is. */
  look(): Promise<WorldView>;
  /** Opens the world around the caller's character. */
  connect(options?: ConnectOptions): World;
  /** Flags on the answers of calls. Those of an open world come to `world.view.onFlag`. */
  onFlag(listener: (flag: WorldFlag) => void): Unsubscribe;
  /** Closes all open worlds. The session stays. */
  close(): void;
}

/** Creates a client. It makes no call by itself. */
export function createRealmwire(options: RealmwireOptions): Realmwire {
  const { clock = createSystemClock(), random = Math.random, components = [] } = options;
  const { storage = createMemoryStorage(), onListenerError = reportToConsole } = options;
  const flags = createEmitter<[WorldFlag]>(onListenerError);
  const token = (): string | undefined => sessions.current?.token;
  const transport = createGameTransport({ ...options, token, onFlag: flags.emit });
  const clients = createClients(transport);
  const { world } = clients;
  const { streamsMoves = false } = options;
  const move = createMover({ world, clock, streamsMoves });
  // The key names the server, so that a token never reaches another one.
  const storageKey = `realmwire.session ${options.baseUrl}`;
  const patiently = createPatience({
    clock,
    patienceMs: options.patienceMs ?? DEFAULT_PATIENCE_MS,
  });
  const sessions = createSessionKeeper({ ...clients, storage, storageKey, patiently });
  const worlds = new Set<World>();

  const close = (): void => {
    for (const open of worlds) open.close();
    worlds.clear();
  };

  return {
    ...clients,
    ...createCalls({ ...clients, components, move }),
    transport,
    get session() {
      return sessions.current;
    },
    version: () => world.version({}),
    register: sessions.register,
    login: sessions.login,
    resume: sessions.resume,
    characters: sessions.characters,
    logout() {
      close();
      return sessions.logout();
    },
    async look() {
      const view = createWorldView({ components, onListenerError });
      const once = { once: true, baselines: true };
      for await (const response of world.update(once)) view.apply(response);
      return view;
    },
    connect(connectOptions = {}) {
      const open: WorldOptions["open"] = (cursor, signal) =>
        world.update({ cursor, baselines: true }, { signal });
      const shared = { clock, random, components, onListenerError, open };
      const opened = openWorld({ ...connectOptions, ...shared });
      worlds.add(opened);
      const unfollow = move.follow(opened);
      opened.onState(({ kind }) => {
        if (kind !== "closed") return;
        worlds.delete(opened);
        unfollow();
      });
      return opened;
    },
    onFlag: flags.on,
    close,
  };
}

function createClients(transport: Transport) {
  return {
    world: createClient(WorldService, transport),
    account: createClient(AccountService, transport),
    zone: createClient(ZoneService, transport),
    chat: createClient(ChatService, transport),
    release: createClient(ReleaseService, transport),
  };
}
