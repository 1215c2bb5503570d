import { create } from "@bufbuild/protobuf";
import { InputSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { Input, Outcome } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { SessionState } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { EntityState } from "../../gen/ts/realmwire/internal/v1/state_pb.ts";
import { EntityStateSchema } from "../../gen/ts/realmwire/internal/v1/state_pb.ts";
import { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { Flag } from "../../gen/ts/realmwire/v1/flag_pb.ts";
import type { Event } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Session } from "../account/session.ts";
import { DomainError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Transfer } from "../sim/portals.ts";
import { WireWriter } from "../sim/wire-writer.ts";
import { nameKey } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import type { Turns } from "../turns.ts";
import { characterKey } from "../zone/saver.ts";
import type { Saver } from "../zone/saver.ts";
import type { ZoneHandle } from "../zone/zone-handle.ts";
import type { ZoneHost } from "../zone/zone-host.ts";
import type { AnswerFlags } from "./answer-flags.ts";
import { flag, mapFlag } from "./flags.ts";
import { createPlayerStreams } from "./player-streams.ts";
import type { Placement, PlayerStreams, WorldStream } from "./player-streams.ts";

/** How long a character stays in the world after its last stream ended, for a client that comes back. */
export const LINGER_MS = 5_000;
/** How long the character of a client that only polls stays after its last call. */
export const POLL_IDLE_MS = 60_000;
const SWEEP_INTERVAL_MS = 1_000;

/** A character in the world with whoever plays it. */
export interface Player {
  readonly character: { readonly id: number; readonly name: string };
  /** The session that plays it now. */
  readonly sessionKey: string;
  /** Where it is; waits while it is between two zones. */
  placement(): Promise<Placement>;
  /** Carries an input out in the zone that it is in. */
  apply(kind: Input["kind"]): Promise<Outcome>;
  /** Opens an update stream. */
  openStream(cursor: string, once: boolean): WorldStream;
  push(event: Event): void;
  readonly online: boolean;
  /** The zone that it is in, or on its way to. */
  readonly zoneName: string;
}

/** The characters in the world whose players are on this node. */
export interface Players {
  start(): void;
  /** Ends all streams with an error and takes all characters out of the world. */
  close(error: unknown): Promise<void>;
  /**
   * The player of a session's character, which enters the world if it is not there. Rejects with `NO_CHARACTER`,
   * `SESSION_REPLACED`, `DRAINING`, and with what starting a zone rejects with.
   */
  enter(session: Session): Promise<Player>;
  /** The player of a character of this name, if it is in the world. */
  find(name: string): Player | undefined;
  /** Tells of a session that ended: its streams end and its character leaves, or waits for the session that replaced it. */
  onSessionEnded(key: string, state: SessionState): void;
  /** A session plays another character now: the one before leaves. */
  onCharacterChanged(key: string): void;
  /** Raises a flag for everybody in the world, on streams. */
  putFlagOnStreams(flag: Flag): void;
  readonly count: number;
}

/** What players need. */
export interface PlayersOptions {
  readonly store: Pick<Store, "findCharacter">;
  readonly saver: Pick<Saver, "durable">;
  /** By character id: work on characters that are not in the world. */
  readonly turns: Turns<number>;
  readonly zones: Pick<ZoneHost, "get">;
  readonly answerFlags: AnswerFlags;
  readonly startZone: string;
  readonly viewRadius: number;
  readonly logger: Logger;
  readonly newKey: () => string;
  readonly lingerMs?: number;
  readonly pollIdleMs?: number;
  /** A clock that only goes forward, in milliseconds. */
  readonly now?: () => number;
}

type Place =
  | { readonly kind: "in"; readonly placement: Placement; readonly unlisten: () => void }
  | { readonly kind: "moving"; readonly to: string; readonly arrival: Promise<void> }
  | { readonly kind: "gone" };

interface LivePlayer extends Player {
  sessionKey: string;
  place: Place;
  readonly streams: PlayerStreams;
  online: boolean;
  hadStream: boolean;
  lastSeen: number;
}

/** Nobody in the world yet. */
export function createPlayers(options: PlayersOptions): Players {
  const now = options.now ?? (() => performance.now());
  const { logger, answerFlags } = options;
  const lingerMs = options.lingerMs ?? LINGER_MS;
  const pollIdleMs = options.pollIdleMs ?? POLL_IDLE_MS;
  const writer = new WireWriter();
  const players = new Map<number, LivePlayer>();
  const byName = new Map<string, LivePlayer>();
  const entering = new Map<number, Promise<LivePlayer>>();
  let sweeper: NodeJS.Timeout | undefined;
  let closedWith: { readonly error: unknown } | undefined;

  async function enter(session: Session): Promise<Player> {
    if (closedWith) throw closedWith.error;
    const { character } = session;
    if (!character) {
      throw new DomainError(ErrorReason.NO_CHARACTER, "the account has no character selected");
    }
    const player = players.get(character.id) ?? (await enterOnce(character));
    if (player.sessionKey !== session.key) takeOver(player, session.key);
    answerFlags.remember(session.key);
    player.lastSeen = now();
    if (!player.online) await setOnline(player, true);
    return player;
  }

  /** A session plays a character that another one played: the other was replaced. */
  function takeOver(player: LivePlayer, sessionKey: string): void {
    if (player.sessionKey !== "") player.streams.end(sessionReplaced());
    player.sessionKey = sessionKey;
  }

  function enterOnce(character: { id: number; name: string }): Promise<LivePlayer> {
    let arrival = entering.get(character.id);
    if (!arrival) {
      arrival = options.turns.take(character.id, () => join(character)).finally(() => entering.delete(character.id));
      entering.set(character.id, arrival);
    }
    return arrival;
  }

  async function join(character: { id: number; name: string }): Promise<LivePlayer> {
    // What was noted when it left last must be in the store before it is read.
    await options.saver.durable(characterKey(character.id));
    const record = await options.store.findCharacter(character.name);
    if (!record) {
      const { name } = character;
      throw new DomainError(ErrorReason.CHARACTER_UNKNOWN, `there is no character "${name}"`, {
        metadata: { name },
      });
    }
    const { id, name, components, position } = record;
    const state = create(EntityStateSchema, {
      name,
      kind: EntityKind.CHARACTER,
      characterId: id,
      components,
      ...(position ? { position } : {}),
    });
    const placement = await joinZone(record.zone || options.startZone, state, "");
    const player = createPlayer({ id, name }, placement);
    players.set(id, player);
    byName.set(nameKey(name), player);
    settle(player, placement);
    logger.info({ character: name, zone: placement.zone.name }, "entered the world");
    return player;
  }

  async function joinZone(zoneName: string, character: EntityState, spawn: string): Promise<Placement> {
    const zone = await zoneOrStart(zoneName);
    const value = { character, spawn: zone.name === zoneName ? spawn : "" };
    const input = create(InputSchema, { kind: { case: "join", value } });
    const outcome = await zone.apply(input);
    if (outcome.kind.case !== "entityId") throw refusalError(outcome);
    return { zone, entityId: outcome.kind.value };
  }

  /** A zone that the game no longer has must not lock its characters out: they begin again at the start. */
  async function zoneOrStart(name: string): Promise<ZoneHandle> {
    try {
      return await options.zones.get(name);
    } catch (error) {
      const unknown = error instanceof DomainError && error.reason === ErrorReason.ZONE_UNKNOWN;
      if (!unknown || name === options.startZone) throw error;
      return await options.zones.get(options.startZone);
    }
  }

  function createPlayer(character: { id: number; name: string }, placement: Placement): LivePlayer {
    let acknowledged = 0;
    const streams = createPlayerStreams({
      character: character.name,
      placement,
      viewRadius: options.viewRadius,
      writer,
      newKey: options.newKey,
      acknowledged: () => acknowledged,
      now,
    });
    const player: LivePlayer = {
      character,
      sessionKey: "",
      place: { kind: "gone" },
      streams,
      online: true,
      hadStream: false,
      lastSeen: now(),
      placement: () => placementOf(player),
      async apply(kind) {
        const { zone } = await placementOf(player);
        const outcome = await zone.apply(create(InputSchema, { kind }));
        if (outcome.kind.case === "move" && outcome.kind.value.sequence > 0) {
          acknowledged = outcome.kind.value.sequence;
        }
        return outcome;
      },
      openStream(cursor, once) {
        const stream = streams.open(cursor, tooManyStreams);
        player.hadStream ||= !once;
        return {
          ...stream,
          close() {
            stream.close();
            player.lastSeen = now();
            if (streams.count === 0 && player.hadStream) void setOnline(player, false);
          },
        };
      },
      push: streams.push,
      get zoneName() {
        const { place } = player;
        return place.kind === "in" ? place.placement.zone.name : place.kind === "moving" ? place.to : "";
      },
    };
    return player;
  }

  async function placementOf(player: LivePlayer): Promise<Placement> {
    while (player.place.kind === "moving") await player.place.arrival;
    if (player.place.kind === "in") return player.place.placement;
    throw new DomainError(ErrorReason.ZONE_STOPPED, "the character just left the world", {
      retryDelayMs: 100,
    });
  }

  /** The character is in a zone now. */
  function settle(player: LivePlayer, placement: Placement): void {
    const { name } = player.character;
    const { zone } = placement;
    const raise = (raised: Flag) => {
      player.streams.putFlag(raised);
      answerFlags.put(player.sessionKey, raised);
    };
    const unlisten = zone.listen({
      onTick: player.streams.onTick,
      onEvent: ({ character, event }) => {
        if (character === name) player.streams.push(event);
      },
      onTransfer(transfer) {
        if (transfer.character.name === name) travel(player, zone, transfer, raise);
      },
      onMapChanged: (revision, region) => raise(mapFlag(zone.name, revision, region)),
      onSpeed: (percent) => raise(flag({ case: "slow", value: { $typeName: "realmwire.v1.SlowFlag", percent } })),
      onStopped: () => remove(player, zoneStopped(zone.name)),
    });
    player.place = { kind: "in", placement, unlisten };
    player.streams.place(placement);
    player.streams.onTick();
  }

  /** Takes a character that left one zone into another; back, if that one cannot be entered. */
  function travel(player: LivePlayer, from: ZoneHandle, transfer: Transfer, raise: (flag: Flag) => void): void {
    if (player.place.kind === "in") player.place.unlisten();
    const { zone, spawn, character } = transfer;
    const arrival = joinZone(zone, character, spawn)
      .catch((error: unknown) => {
        logger.error({ err: error, character: character.name, zone }, "a zone could not be entered");
        return joinZone(from.name, character, "");
      })
      .then(
        (placement) => {
          settle(player, placement);
          const name = placement.zone.name;
          raise(flag({ case: "zone", value: { $typeName: "realmwire.v1.ZoneFlag", zone: name } }));
        },
        (error: unknown) => remove(player, error),
      );
    player.place = { kind: "moving", to: zone, arrival };
  }

  async function setOnline(player: LivePlayer, online: boolean): Promise<void> {
    player.online = online;
    if (player.place.kind === "gone") return;
    const { name } = player.character;
    const value = { $typeName: "realmwire.internal.v1.PresenceInput" as const, name, online };
    try {
      await player.apply({ case: "presence", value });
    } catch (error) {
      logger.debug({ err: error, character: name }, "the character left meanwhile");
    }
  }

  /** Takes a character out of the world. */
  async function leave(player: LivePlayer, error: unknown): Promise<void> {
    const { id, name } = player.character;
    if (players.get(id) !== player) return;
    while (player.place.kind === "moving") await player.place.arrival;
    const { place } = player;
    remove(player, error);
    if (place.kind !== "in") return;
    const value = { $typeName: "realmwire.internal.v1.LeaveInput" as const, name };
    await place.placement.zone.apply(create(InputSchema, { kind: { case: "leave", value } }));
    logger.info({ character: name, zone: place.placement.zone.name }, "left the world");
  }

  /** Forgets a player whose character is in no zone any more. */
  function remove(player: LivePlayer, error: unknown): void {
    if (player.place.kind === "in") player.place.unlisten();
    player.place = { kind: "gone" };
    player.online = false;
    if (players.get(player.character.id) === player) {
      players.delete(player.character.id);
      byName.delete(nameKey(player.character.name));
    }
    player.streams.end(error);
  }

  function sweep(): void {
    for (const player of players.values()) {
      player.streams.sweep();
      if (player.streams.count > 0) continue;
      const patience = player.hadStream ? lingerMs : pollIdleMs;
      if (now() - player.lastSeen >= patience) leaveSafely(player, sessionReplaced());
    }
  }

  function leaveSafely(player: LivePlayer, error: unknown): void {
    leave(player, error).catch((failure: unknown) => {
      logger.warn({ err: failure, character: player.character.name }, "could not leave the zone");
    });
  }

  const bySession = (key: string) => [...players.values()].find(({ sessionKey }) => sessionKey === key);

  return {
    start() {
      sweeper = setInterval(sweep, SWEEP_INTERVAL_MS);
    },
    async close(error) {
      closedWith = { error };
      clearInterval(sweeper);
      await Promise.allSettled(entering.values());
      await Promise.allSettled([...players.values()].map((player) => leave(player, error)));
    },
    enter,
    find: (name) => byName.get(nameKey(name)),
    onSessionEnded(key, state) {
      answerFlags.forget(key);
      const player = bySession(key);
      if (!player) return;
      if (state === SessionState.REPLACED) {
        // The session that replaced it plays on from here, if it comes soon.
        player.streams.end(sessionReplaced());
        player.sessionKey = "";
        player.hadStream = true;
        player.lastSeen = now();
      } else {
        leaveSafely(player, new DomainError(ErrorReason.TOKEN_INVALID, "the session has ended"));
      }
    },
    onCharacterChanged(key) {
      const player = bySession(key);
      if (player) leaveSafely(player, characterChanged());
    },
    putFlagOnStreams(raised) {
      for (const player of players.values()) player.streams.putFlag(raised);
    },
    get count() {
      return players.size;
    },
  };
}

/** The error that a refused input leads to. */
export function refusalError(outcome: Outcome): DomainError {
  if (outcome.kind.case === "refusal") {
    const { reason, message, metadata } = outcome.kind.value;
    return new DomainError(reason, message, { metadata });
  }
  throw new Error(`the zone answered ${outcome.kind.case}`);
}

function sessionReplaced(): DomainError {
  return new DomainError(ErrorReason.SESSION_REPLACED, "the character was logged in again");
}

function characterChanged(): DomainError {
  return new DomainError(ErrorReason.CHARACTER_CHANGED, "the session plays another character now");
}

function tooManyStreams(): DomainError {
  const limit = "4";
  return new DomainError(ErrorReason.TOO_MANY_STREAMS, "a newer stream took this one's place", {
    metadata: { limit },
  });
}

function zoneStopped(zone: string): DomainError {
  return new DomainError(ErrorReason.ZONE_STOPPED, `zone "${zone}" has ended and starts again`, {
    metadata: { zone },
    retryDelayMs: 1_000,
  });
}
