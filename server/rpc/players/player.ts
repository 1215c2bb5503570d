import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { InputSchema } from "../../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { Input, Outcome } from "../../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { EntityState } from "../../../gen/ts/realmwire/internal/v1/state_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import type { Flag } from "../../../gen/ts/realmwire/v1/flag_pb.ts";
import type {
  Event,
  InputRequest,
  MoveRequest,
} from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { DomainError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import type { Transfer } from "../../sim/portals.ts";
import type { ZoneHandle } from "../../zone/zone-handle.ts";
import type { Acknowledgements } from "./acknowledgements.ts";
import { mapFlag, slowFlag, zoneFlag } from "./flags.ts";
import type { EndCall, MessageSink } from "../pipeline/message-sink.ts";
import { createPlayerInputs } from "./player-inputs.ts";
import type { InputTotals } from "./player-inputs.ts";
import { MAX_STREAMS } from "./player-streams.ts";
import type { Placement, PlayerStreams, StreamRequest } from "./player-streams.ts";
import type { ReadyStream } from "../pipeline/ready-stream.ts";
import type { Stagger } from "./stagger.ts";

/** A character in the world with whoever plays it. */
export interface Player {
  readonly character: { readonly id: number; readonly name: string };
  /** Where it is; waits while it is between two zones. Rejects with `ZONE_STOPPED` when it left the world. */
  placement(): Promise<Placement>;
  /** Carries an input out in the zone that it is in. */
  apply(kind: Input["kind"]): Outcome | Promise<Outcome>;
  /** Moves it. */
  move(request: MoveRequest): Outcome | Promise<Outcome>;
  /** Opens a stream of moves; `end` ends its call. */
  openInput(end: EndCall): MessageSink<InputRequest, InputTotals>;
  /** Opens an update stream, whose first message carries the flags. */
  openStream(request: StreamRequest): ReadyStream;
  push(event: Event): void;
  /** Whether its player is there. */
  readonly online: boolean;
  /** The zone that it is in, or on its way to; empty when it left the world. */
  readonly zoneName: string;
}

/** A player as the registry of players sees it. */
export interface LivePlayer extends Player {
  /** The session that plays it; empty while the one that replaced it has not called yet. */
  sessionKey: string;
  /** When it was heard of last, in milliseconds of the given clock. */
  lastSeen: number;
  /** Whether it had an update stream that was to last. */
  readonly hadStream: boolean;
  readonly streams: PlayerStreams;
  /** How many Update and Input streams are open. */
  connections(): number;
  /** Ends all streams with an error. */
  endStreams(error: unknown): void;
  /** Begins its life in the zone that it joined. */
  settle(placement: Placement): void;
  setOnline(online: boolean): Promise<void>;
  /** Leaves the world; its streams end with the error. */
  leave(error: unknown): Promise<void>;
}

type Place =
  | { readonly kind: "in"; readonly placement: Placement; readonly unlisten: () => void }
  | { readonly kind: "moving"; readonly to: string; readonly arrival: Promise<void> }
  | { readonly kind: "gone" };

/** What a player needs. */
export interface PlayerOptions {
  readonly character: { readonly id: number; readonly name: string };
  readonly streams: PlayerStreams;
  /** Joins a zone, or rejects. */
  readonly join: (zone: string, character: EntityState, spawn: string) => Promise<Placement>;
  readonly acknowledgements: Acknowledgements;
  /** Raises a flag for the session's next answer. */
  readonly putAnswerFlag: (sessionKey: string, flag: Flag) => void;
  /** The character is in another zone now. */
  readonly onZone: (sessionKey: string, zone: string) => void;
  /** Writes the streams of many players, some at a time. */
  readonly stagger: Stagger;
  /** The player is in the world no more. */
  readonly onGone: (player: LivePlayer) => void;
  readonly logger: Logger;
  readonly now: () => number;
}

/** A player whose character has not settled yet. */
export function createPlayer(options: PlayerOptions): LivePlayer {
  const { character, streams, logger, now } = options;
  const { name } = character;
  let place: Place = { kind: "gone" };
  /** What happened since the last tick, in the zone and elsewhere. */
  let waiting: Event[] = [];
  const onRefused = (outcome: Uint8Array) => streams.refuse(outcome);
  const inputs = createPlayerInputs({ move, onRefused, onClosed });
  const askForTurn = options.stagger.enlist(onTick);

  // Plain fields: getters would give each player a shape of its own, and every Move asks for some.
  const player: { -readonly [K in keyof LivePlayer]: LivePlayer[K] } = {
    character,
    streams,
    sessionKey: "",
    lastSeen: now(),
    placement,
    apply,
    move,
    openInput: inputs.open,
    endStreams,
    settle,
    setOnline,
    leave,
    push: (event) => void waiting.push(event),
    openStream(request) {
      player.hadStream ||= !request.once;
      return streams.open(request, tooManyStreams, onClosed);
    },
    connections: () => streams.count + inputs.count,
    hadStream: false,
    online: true,
    zoneName: "",
  };

  function goTo(next: Place): void {
    place = next;
    player.zoneName = zoneNameOf(next);
  }

  async function placement(): Promise<Placement> {
    while (place.kind === "moving") await place.arrival;
    if (place.kind === "in") return place.placement;
    throw new DomainError(ErrorReason.ZONE_STOPPED, `${name} just left the world`, {
      retryDelayMs: 100,
    });
  }

  // Without a promise where none is needed: whoever sends a stream of moves would wait for it with each.
  function apply(kind: Input["kind"]): Outcome | Promise<Outcome> {
    if (place.kind === "in") return carryOut(place.placement, kind);
    return placement().then((to) => carryOut(to, kind));
  }

  function carryOut(at: Placement, kind: Input["kind"]): Outcome | Promise<Outcome> {
    const outcome = at.zone.apply({ $typeName: "realmwire.internal.v1.Input", kind });
    const note = (made: Outcome) => noted(made, at, kind);
    return outcome instanceof Promise ? outcome.then(note) : note(outcome);
  }

  function noted(outcome: Outcome, at: Placement, kind: Input["kind"]): Outcome | Promise<Outcome> {
    // It went on to another zone while the input was on its way.
    const isGone = place.kind !== "in" || place.placement !== at;
    if (isGone && isUnknown(outcome)) return apply(kind);
    noteMoves(outcome, options.acknowledgements);
    return outcome;
  }

  function move(request: MoveRequest): Outcome | Promise<Outcome> {
    player.lastSeen = now();
    const value = { $typeName: "realmwire.internal.v1.MoveInput" as const, name, move: request };
    return apply({ case: "move", value });
  }

  function endStreams(error: unknown): void {
    streams.end(error);
    inputs.end(error);
  }

  function raise(flag: Flag): void {
    streams.putFlag(flag);
    options.putAnswerFlag(player.sessionKey, flag);
  }

  function settle(to: Placement): void {
    const { zone } = to;
    const unlisten = zone.listen({
      onTick: askForTurn,
      onEvent: ({ character: who, event }) => {
        if (who === name) waiting.push(event);
      },
      onTransfer(transfer) {
        if (transfer.character.name === name) travel(zone, transfer);
      },
      onMapChanged: (revision, region) => streams.putFlag(mapFlag(zone.name, revision, region)),
      onSpeed: (percent) => raise(slowFlag(percent)),
      onStopped: () => vanish(zoneStopped(zone.name)),
    });
    goTo({ kind: "in", placement: to, unlisten });
    options.acknowledgements.settle();
    options.onZone(player.sessionKey, zone.name);
    streams.place(to);
    streams.onTick();
  }

  /** What was told from elsewhere and what was heard in the zone go out together, in the order in which they were said. */
  function onTick(): void {
    if (waiting.length > 0) {
      const events = waiting.sort((a, b) => timeOf(a) - timeOf(b));
      waiting = [];
      for (const event of events) streams.push(event);
    }
    streams.onTick();
  }

  function travel(from: ZoneHandle, transfer: Transfer): void {
    if (place.kind === "in") place.unlisten();
    const arrival = joinOrReturn(options, from, transfer).then(
      (to) => {
        settle(to);
        raise(zoneFlag(to.zone.name));
      },
      (error: unknown) => vanish(error),
    );
    goTo({ kind: "moving", to: transfer.zone, arrival });
  }

  function onClosed(): void {
    player.lastSeen = now();
    if (player.connections() === 0 && player.hadStream) void setOnline(false);
  }

  async function setOnline(value: boolean): Promise<void> {
    player.online = value;
    if (place.kind === "gone") return;
    const presence = { name, online: value };
    const input = { $typeName: "realmwire.internal.v1.PresenceInput" as const, ...presence };
    try {
      await apply({ case: "presence", value: input });
    } catch (error) {
      logger.debug({ err: error, character: name }, "the character left meanwhile");
    }
  }

  async function leave(error: unknown): Promise<void> {
    while (place.kind === "moving") await place.arrival;
    if (place.kind === "gone") return;
    const { zone } = place.placement;
    vanish(error);
    const value = { $typeName: "realmwire.internal.v1.LeaveInput" as const, name };
    await zone.apply(create(InputSchema, { kind: { case: "leave", value } }));
    logger.info({ character: name, zone: zone.name }, "left the world");
  }

  /** Ends the player: its character is in no zone, or about to be taken out. */
  function vanish(error: unknown): void {
    if (place.kind === "in") place.unlisten();
    goTo({ kind: "gone" });
    player.online = false;
    options.onGone(player);
    endStreams(error);
  }

  return player;
}

function noteMoves({ kind }: Outcome, acknowledgements: Acknowledgements): void {
  if (kind.case !== "move") return;
  const { sequence, tick, outcomes } = kind.value;
  if (sequence > 0) acknowledgements.note(sequence, tick);
  for (const made of outcomes) if (made.sequence > 0) acknowledgements.note(made.sequence, tick);
}

/** The zone that a player is in or on the way to; empty: none. */
function zoneNameOf(place: Place): string {
  if (place.kind === "gone") return "";
  return place.kind === "in" ? place.placement.zone.name : place.to;
}

/** Goes from one zone to another; back, if that one cannot be entered. */
async function joinOrReturn(
  { join, logger }: PlayerOptions,
  from: ZoneHandle,
  { zone, spawn, character }: Transfer,
): Promise<Placement> {
  try {
    return await join(zone, character, spawn);
  } catch (error) {
    logger.error({ err: error, character: character.name, zone }, "a zone could not be entered");
    return await join(from.name, character, "");
  }
}

/** When something was said, in milliseconds since 1970-01-01; other events come before that. */
function timeOf({ kind }: Event): number {
  return kind.case === "chat" && kind.value.time ? timestampMs(kind.value.time) : 0;
}

/** Whether the zone does not know the character. */
function isUnknown({ kind }: Outcome): boolean {
  return kind.case === "refusal" && kind.value.reason === ErrorReason.NAME_UNKNOWN;
}

function tooManyStreams(): DomainError {
  return new DomainError(ErrorReason.TOO_MANY_STREAMS, "a newer stream took this one's place", {
    metadata: { limit: String(MAX_STREAMS) },
  });
}

function zoneStopped(zone: string): DomainError {
  return new DomainError(ErrorReason.ZONE_STOPPED, `zone "${zone}" has ended and starts again`, {
    metadata: { zone },
    retryDelayMs: 1_000,
  });
}
