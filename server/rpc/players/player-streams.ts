import { create, toBinary } from "@bufbuild/protobuf";
import { FlagSchema } from "../../../gen/ts/realmwire/v1/flag_pb.ts";
import type { Flag } from "../../../gen/ts/realmwire/v1/flag_pb.ts";
import { EventSchema, SceneSchema } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Event } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createViewer, parseCursor } from "../../sim/viewer.ts";
import type { Viewer } from "../../sim/viewer.ts";
import type { WireWriter } from "../../sim/wire-writer.ts";
import type { ZoneHandle } from "../../zone/zone-handle.ts";
import { createFlagBox } from "./flags.ts";
import type { FlagBox } from "./flags.ts";
import type { ReadyStream } from "../pipeline/ready-stream.ts";
import { createRefusedMoves } from "./refused-moves.ts";
import type { RefusedMoves } from "./refused-moves.ts";

/** How long a stream says nothing at most before a heartbeat, which then comes with the next tick: within the five seconds that the protocol promises. */
export const HEARTBEAT_MS = 4_500;
/** How long a viewer is kept after its stream ended, for a client that resumes. */
export const RESUME_WINDOW_MS = 60_000;
/** Update streams that one character may have open, and as many viewers are kept for resuming. */
export const MAX_STREAMS = 4;
/** Messages with flags that are remembered one by one for a client that resumes; those before are remembered together. */
const MAX_FLAGGED_MESSAGES = 16;

/** What happened to viewers, for metrics. */
export interface ViewCounts {
  /** Times that one began afresh because its client had fallen behind. */
  resynchronised: number;
  /** Events that were dropped because a client did not read. */
  droppedEvents: number;
}

/** Where a character is. */
export interface Placement {
  readonly zone: ZoneHandle;
  readonly entityId: number;
}

/** A viewer with what waits for it. It outlives its stream for a while, so that a client can resume. */
interface Eye {
  viewer: Viewer;
  readonly flags: FlagBox;
  /** The flags of the last messages, the oldest first: a message may be lost on its way. */
  flagged: FlaggedMessage[];
  refused: RefusedMoves;
  stream: OpenStream | undefined;
  /** When its stream ended, in milliseconds of the given clock. */
  endedAt: number;
}

interface FlaggedMessage {
  readonly sequence: number;
  readonly flags: readonly Flag[];
}

interface OpenStream {
  lastMessageAt: number;
  wake: (() => void) | undefined;
  failure: { readonly error: unknown } | undefined;
}

/** How a stream is to be. */
export interface StreamRequest {
  readonly cursor: string;
  readonly once: boolean;
  readonly flags: readonly Flag[];
}

/** The streams of one character, and what it is sent. */
export interface PlayerStreams {
  /**
   * Opens a stream, whose first message carries these flags. It goes on from a cursor if it can, and ends after its
   * first message if that is asked for. Beyond {@link MAX_STREAMS} the one open longest ends with `tooMany`.
   */
  open(request: StreamRequest, tooMany: () => unknown): ReadyStream;
  /** Streams that are open. */
  readonly count: number;
  /** Sends an event to all. */
  push(event: Event): void;
  /** Tells all of a move that was refused, a serialized `MoveOutcome`. */
  refuse(outcome: Uint8Array): void;
  /** Sends a flag to all. */
  putFlag(flag: Flag): void;
  /** A tick has passed. */
  onTick(): void;
  /** The character is somewhere else now: all begin afresh there. */
  place(placement: Placement): void;
  /** Ends all streams with an error, and forgets all viewers. */
  end(error: unknown): void;
  /** Wakes streams that have to send a heartbeat, and forgets viewers that nobody came back for. */
  sweep(): void;
}

/** The streams of a character that just entered. */
export function createPlayerStreams(options: {
  character: string;
  placement: Placement;
  viewRadius: number;
  writer: WireWriter;
  /** A new key for a viewer; not to be guessed from others. */
  newKey: () => string;
  /** The sequence of the last Move that a state shows which has the changes up to a tick. */
  acknowledged: (shownTick: number) => number;
  /** Milliseconds since 1970-01-01. */
  wallClock: () => number;
  now: () => number;
  views?: ViewCounts | undefined;
}): PlayerStreams {
  const { now, views } = options;
  let { placement } = options;
  let eyes: Eye[] = [];

  function newViewer(): Viewer {
    return createViewer({
      source: placement.zone.source,
      key: options.newKey(),
      selfId: placement.entityId,
      character: options.character,
      radius: options.viewRadius,
      writer: options.writer,
      onDropped(count) {
        if (views) views.droppedEvents += count;
      },
    });
  }

  function eyeFor(cursor: string): Eye {
    const at = parseCursor(cursor);
    const known = at && eyes.find(({ viewer }) => viewer.key === at.key);
    if (known) {
      known.viewer.resume(cursor);
      takeBack(known, at.sequence);
      return known;
    }
    const eye = newEye(newViewer());
    eyes.push(eye);
    return eye;
  }

  function next(eye: Eye, stream: OpenStream): Uint8Array<ArrayBuffer> | undefined {
    const flags = eye.flags.take();
    const message = eye.viewer.message({
      flags: flags.map((flag) => toBinary(FlagSchema, flag)),
      acknowledged: options.acknowledged(placement.zone.source.tick),
      refused: eye.refused.waiting,
      scene() {
        // The first message of a viewer begins afresh in any case.
        if (views && eye.viewer.sequence > 0) views.resynchronised++;
        return sceneOf(placement, options.viewRadius, options.wallClock());
      },
      force: now() - stream.lastMessageAt >= HEARTBEAT_MS,
    });
    if (!message) {
      for (const flag of flags) eye.flags.put(flag);
      return undefined;
    }
    stream.lastMessageAt = now();
    if (flags.length > 0) rememberFlags(eye, { sequence: eye.viewer.sequence, flags });
    eye.refused.sent(eye.viewer.sequence);
    return message;
  }

  function fail(stream: OpenStream, error: unknown): void {
    stream.failure ??= { error };
    stream.wake?.();
  }

  function wakeAll(): void {
    for (const { stream } of eyes) stream?.wake?.();
  }

  /** Keeps at most so many viewers without a stream: those that ended last. */
  function forgetOldest(): void {
    const ended = eyes.filter(({ stream }) => !stream).sort((a, b) => b.endedAt - a.endedAt);
    const kept = new Set(
      ended.filter(({ endedAt }) => now() - endedAt < RESUME_WINDOW_MS).slice(0, MAX_STREAMS),
    );
    eyes = eyes.filter((eye) => eye.stream || kept.has(eye));
  }

  return {
    open({ cursor, once, flags }, tooMany) {
      const eye = eyeFor(cursor);
      for (const flag of flags) eye.flags.put(flag);
      // A client that resumes has lost its old stream, even if this side has not noticed yet.
      if (eye.stream) fail(eye.stream, tooMany());
      const open = eyes.filter((other) => other !== eye && other.stream);
      if (open.length >= MAX_STREAMS) fail(open[0]?.stream as OpenStream, tooMany());
      const stream = newStream();
      eye.stream = stream;
      return {
        next: () => (stream.failure ? undefined : next(eye, stream)),
        ended: () => once && stream.lastMessageAt !== Number.NEGATIVE_INFINITY,
        async ready() {
          if (!stream.failure) {
            await new Promise<void>((resolve) => {
              stream.wake = resolve;
            });
            stream.wake = undefined;
          }
          if (stream.failure) throw stream.failure.error;
        },
        close() {
          stream.wake?.();
          if (eye.stream !== stream) return;
          eye.stream = undefined;
          eye.endedAt = now();
          forgetOldest();
        },
      };
    },
    get count() {
      return eyes.filter(({ stream }) => stream).length;
    },
    push(event) {
      const bytes = toBinary(EventSchema, event);
      for (const { viewer } of eyes) viewer.push(bytes);
    },
    refuse(outcome) {
      for (const { refused } of eyes) refused.put(outcome);
    },
    putFlag(flag) {
      for (const { flags } of eyes) flags.put(flag);
    },
    onTick: wakeAll,
    place(to) {
      placement = to;
      eyes = eyes.filter(({ stream }) => stream);
      for (const eye of eyes) {
        const events = eye.viewer.drain();
        eye.viewer = newViewer();
        eye.flagged = [];
        eye.refused.forgetSent();
        for (const event of events) eye.viewer.push(event);
      }
    },
    end(error) {
      for (const { stream } of eyes) if (stream) fail(stream, error);
      eyes = [];
    },
    sweep() {
      forgetOldest();
      for (const { stream } of eyes) {
        if (stream && now() - stream.lastMessageAt >= HEARTBEAT_MS) stream.wake?.();
      }
    },
  };
}

/** The serialized scene of a place, as it is at a time in milliseconds since 1970-01-01. */
function sceneOf({ zone, entityId }: Placement, viewRadius: number, timeMs: number): Uint8Array {
  const { name, mapRevision, tickRateHz } = zone;
  const serverTimeMs = BigInt(timeMs);
  const selfId = entityId;
  const scene = { zone: name, mapRevision, tickRateHz, selfId, viewRadius, serverTimeMs };
  return toBinary(SceneSchema, create(SceneSchema, scene));
}

function newEye(viewer: Viewer): Eye {
  const flags = createFlagBox();
  const refused = createRefusedMoves();
  return { viewer, flags, flagged: [], refused, stream: undefined, endedAt: 0 };
}

function newStream(): OpenStream {
  return { lastMessageAt: Number.NEGATIVE_INFINITY, wake: undefined, failure: undefined };
}

function rememberFlags({ flagged }: Eye, message: FlaggedMessage): void {
  flagged.push(message);
  if (flagged.length <= MAX_FLAGGED_MESSAGES) return;
  const [oldest, next] = flagged.splice(0, 2) as [FlaggedMessage, FlaggedMessage];
  flagged.unshift({ sequence: next.sequence, flags: mergeFlags([...oldest.flags, ...next.flags]) });
}

/** Puts the flags and refused moves of the messages behind a cursor back, before those that wait: newer flags replace older ones. */
function takeBack(eye: Eye, sequence: number): void {
  const lost = eye.flagged.filter((message) => message.sequence > sequence);
  eye.flagged = eye.flagged.filter((message) => message.sequence <= sequence);
  const waiting = eye.flags.take();
  for (const flag of [...lost.flatMap(({ flags }) => flags), ...waiting]) eye.flags.put(flag);
  eye.refused.takeBack(sequence);
}

function mergeFlags(flags: readonly Flag[]): Flag[] {
  const box = createFlagBox();
  for (const flag of flags) box.put(flag);
  return box.take();
}
