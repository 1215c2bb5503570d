import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import type { Flag } from "../../../gen/ts/realmwire/v1/flag_pb.ts";
import { endError, type SessionEnd } from "../../account/session-end.ts";
import type { Session } from "../../account/session.ts";
import { DomainError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import { WireWriter } from "../../sim/wire-writer.ts";
import { chain, type MaybePromise } from "../../maybe-promise.ts";
import { nameKey } from "../../store/store.ts";
import type { Turns } from "../../turns.ts";
import { createAcknowledgements } from "./acknowledgements.ts";
import type { AnswerFlags } from "./answer-flags.ts";
import { createPlayerStreams } from "./player-streams.ts";
import type { Placement, ViewCounts } from "./player-streams.ts";
import { createPlayer } from "./player.ts";
import type { LivePlayer, Player } from "./player.ts";
import { createStagger } from "./stagger.ts";
import type { WorldEntry } from "./world-entry.ts";

/** How long a character stays in the world after its last stream ended, for a client that comes back. */
export const LINGER_MS = 5_000;
/** How long the character of a client that only polls stays after its last call. */
export const POLL_IDLE_MS = 60_000;
const SWEEP_INTERVAL_MS = 1_000;

/** The characters in the world whose players are on this node. */
export interface Players {
  start(): void;
  /** Ends all streams with an error and takes all characters out of the world; nobody can enter any more. */
  close(error: unknown): Promise<void>;
  /**
   * The player of a session's character, which enters the world if it is not there. Throws or rejects with `NO_CHARACTER`,
   * `CHARACTER_UNKNOWN`, `DRAINING`, and with what starting a zone rejects with.
   */
  enter(session: Session): MaybePromise<Player>;
  /** The player of a character of this name, if it is in the world. */
  find(name: string): Player | undefined;
  /** A session ended: its streams end and its character leaves, or waits for the session that replaced it. */
  onSessionEnded(key: string, end: SessionEnd): void;
  /** A session plays another character now: the one before leaves. */
  onCharacterChanged(key: string): void;
  /** All of them, in no order. */
  list(): Iterable<Player>;
  /** Raises a flag for everybody in the world, on streams. */
  putFlagOnStreams(flag: Flag): void;
  readonly count: number;
}

/** What players need. */
export interface PlayersOptions {
  readonly entry: WorldEntry;
  /** By character id: work on characters that are not in the world. */
  readonly turns: Turns<number>;
  readonly answerFlags: AnswerFlags;
  readonly viewRadius: number;
  readonly logger: Logger;
  /** A key for a viewer: none that one of the same character had before, in this run or an earlier one. */
  readonly newKey: () => string;
  readonly lingerMs?: number;
  readonly pollIdleMs?: number;
  /** Milliseconds since 1970-01-01. */
  readonly wallClock: () => number;
  /** A clock that only goes forward, in milliseconds. */
  readonly now?: () => number;
  /** Counts what happens to viewers. */
  readonly views?: ViewCounts | undefined;
}

/** Nobody in the world yet. */
export function createPlayers(options: PlayersOptions): Players {
  const now = options.now ?? (() => performance.now());
  const { entry, logger, answerFlags, lingerMs = LINGER_MS, pollIdleMs = POLL_IDLE_MS } = options;
  const writer = new WireWriter();
  const stagger = createStagger();
  const byId = new Map<number, LivePlayer>();
  const byName = new Map<string, LivePlayer>();
  const entering = new Map<number, Promise<LivePlayer>>();
  let sweeper: NodeJS.Timeout | undefined;
  let closedWith: { readonly error: unknown } | undefined;

  function enter(session: Session): MaybePromise<Player> {
    if (closedWith) throw closedWith.error;
    const { character } = session;
    if (!character) {
      throw new DomainError(ErrorReason.NO_CHARACTER, "the account has no character selected");
    }
    const player = byId.get(character.id) ?? enterOnce(character);
    return chain(player, (entered) => play(entered, session));
  }

  /** Gives a player to a session. */
  function play(player: LivePlayer, session: Session): MaybePromise<Player> {
    if (player.sessionKey !== session.key) {
      if (player.sessionKey !== "") player.endStreams(endError({ kind: "replaced" }));
      player.sessionKey = session.key;
    }
    answerFlags.remember(session.key, player.zoneName);
    player.lastSeen = now();
    return player.online ? player : player.setOnline(true).then(() => player);
  }

  function enterOnce(character: { id: number; name: string }): Promise<LivePlayer> {
    let arrival = entering.get(character.id);
    if (!arrival) {
      const enterNow = () => enterWorld(character);
      arrival = options.turns
        .take(character.id, enterNow)
        .finally(() => entering.delete(character.id));
      entering.set(character.id, arrival);
    }
    return arrival;
  }

  async function enterWorld(character: { id: number; name: string }): Promise<LivePlayer> {
    const { id, name } = character;
    const placement = await entry.enter(name, id);
    const player = makePlayer({ id, name }, placement);
    byId.set(id, player);
    byName.set(nameKey(name), player);
    player.settle(placement);
    logger.info({ character: name, zone: placement.zone.name }, "entered the world");
    return player;
  }

  function makePlayer(character: { id: number; name: string }, placement: Placement): LivePlayer {
    const acknowledgements = createAcknowledgements();
    const streams = createPlayerStreams({
      character: character.name,
      placement,
      viewRadius: options.viewRadius,
      writer,
      newKey: options.newKey,
      acknowledged: acknowledgements.shownAt,
      wallClock: options.wallClock,
      now,
      views: options.views,
    });
    return createPlayer({
      character,
      streams,
      join: entry.join,
      acknowledgements,
      putAnswerFlag: answerFlags.put,
      onZone(sessionKey, zone) {
        if (sessionKey !== "") answerFlags.remember(sessionKey, zone);
      },
      stagger,
      onGone: forget,
      logger,
      now,
    });
  }

  function forget(player: LivePlayer): void {
    const { id, name } = player.character;
    if (byId.get(id) !== player) return;
    byId.delete(id);
    byName.delete(nameKey(name));
  }

  function sweep(): void {
    for (const player of byId.values()) {
      player.streams.sweep();
      if (player.connections() > 0) continue;
      const patience = player.hadStream ? lingerMs : pollIdleMs;
      if (now() - player.lastSeen >= patience) leave(player, endError({ kind: "replaced" }));
    }
  }

  function leave(player: LivePlayer, error: unknown): void {
    player.leave(error).catch((failure: unknown) => {
      logger.warn({ err: failure, character: player.character.name }, "could not leave the zone");
    });
  }

  const bySession = (key: string) =>
    [...byId.values()].find(({ sessionKey }) => sessionKey === key);

  return {
    start() {
      sweeper = setInterval(sweep, SWEEP_INTERVAL_MS);
    },
    async close(reason) {
      closedWith = { error: reason };
      clearInterval(sweeper);
      await Promise.allSettled(entering.values());
      await Promise.allSettled([...byId.values()].map((player) => player.leave(reason)));
    },
    enter,
    find: (name) => byName.get(nameKey(name)),
    onSessionEnded(key, end) {
      answerFlags.forget(key);
      const player = bySession(key);
      if (!player) return;
      if (end.kind === "replaced") {
        // The session that replaced it plays on from here, if it comes soon.
        player.endStreams(endError({ kind: "replaced" }));
        player.sessionKey = "";
        player.lastSeen = now();
      } else {
        leave(player, endError(end));
      }
    },
    onCharacterChanged(key) {
      const player = bySession(key);
      if (player) leave(player, characterChanged());
    },
    list: () => byId.values(),
    putFlagOnStreams(flag) {
      for (const player of byId.values()) player.streams.putFlag(flag);
    },
    get count() {
      return byId.size;
    },
  };
}

function characterChanged(): DomainError {
  return new DomainError(ErrorReason.CHARACTER_CHANGED, "the session plays another character now");
}
