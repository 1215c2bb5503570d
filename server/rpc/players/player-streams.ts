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
  stream: EyeStream | undefined;
  /** When its stream ended, in milliseconds of the given clock. */
  endedAt: number;
  /** The serialized scene for a message that begins afresh. */
  readonly scene: () => Uint8Array;
}

/** Nothing to be told, for nearly all messages. */
const NO_FLAGS: readonly Flag[] = [];
const NO_BYTES: readonly Uint8Array[] = [];

interface FlaggedMessage {
  readonly sequence: number;
  readonly flags: readonly Flag[];
}

/** How a stream is to be. */
export interface StreamRequest {
  readonly cursor: string;
  readonly once: boolean;
  /** Whether its client heeds `UpdateResponse.baselines`. */
  readonly baselines: boolean;
  readonly flags: readonly Flag[];
}

/** The streams of one character, and what it is sent. */
export interface PlayerStreams {
  /**
   * Opens a stream, whose first message carries these flags. It goes on from a cursor if it can, and ends after its
   * first message if that is asked for. Beyond {@link MAX_STREAMS} the one open longest ends with `tooMany`.
   */
  open(request: StreamRequest, tooMany: () => unknown, onClosed?: () => void): ReadyStream;
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

/** What streams are made with. */
export interface PlayerStreamsOptions {
  readonly character: string;
  readonly placement: Placement;
  readonly viewRadius: number;
  readonly writer: WireWriter;
  /** A key for a viewer: none that one of the same character had before, in this run or an earlier one. */
  readonly newKey: () => string;
  /** The sequence of the last Move that a state shows which has the changes up to a tick. */
  readonly acknowledged: (shownTick: number) => number;
  /** Milliseconds since 1970-01-01. */
  readonly wallClock: () => number;
  readonly now: () => number;
  readonly views?: ViewCounts | undefined;
}

/** The streams of a character that just entered. */
export function createPlayerStreams(options: PlayerStreamsOptions): PlayerStreams {
  return new Streams(options);
}

// Classes, as in `sim/viewer.ts`: each tick goes through those of all players.
class Streams implements PlayerStreams {
  private readonly options: PlayerStreamsOptions;
  private placement: Placement;
  private eyes: Eye[] = [];

  constructor(options: PlayerStreamsOptions) {
    this.options = options;
    this.placement = options.placement;
  }

  open(
    { cursor, once, baselines, flags }: StreamRequest,
    tooMany: () => unknown,
    onClosed?: () => void,
  ): ReadyStream {
    const eye = this.eyeFor(cursor);
    eye.viewer.heedsBaselines = baselines;
    for (const flag of flags) eye.flags.put(flag);
    const open = this.eyes.filter((other) => other !== eye && other.stream);
    const before = eye.stream;
    const stream = new EyeStream(this, eye, once, onClosed);
    eye.stream = stream;
    // A client that resumes has lost its old stream, even if this side has not noticed yet.
    before?.end(tooMany());
    if (open.length >= MAX_STREAMS) open[0]?.stream?.end(tooMany());
    return stream;
  }

  get count(): number {
    return this.eyes.filter(({ stream }) => stream).length;
  }

  push(event: Event): void {
    const bytes = toBinary(EventSchema, event);
    for (const { viewer } of this.eyes) viewer.push(bytes);
  }

  refuse(outcome: Uint8Array): void {
    for (const { refused } of this.eyes) refused.put(outcome);
  }

  putFlag(flag: Flag): void {
    for (const { flags } of this.eyes) flags.put(flag);
  }

  onTick(): void {
    for (const { stream } of this.eyes) stream?.wake();
  }

  place(to: Placement): void {
    this.placement = to;
    this.eyes = this.eyes.filter(({ stream }) => stream);
    for (const eye of this.eyes) {
      const { heedsBaselines } = eye.viewer;
      const events = eye.viewer.drain();
      eye.viewer = this.newViewer();
      eye.viewer.heedsBaselines = heedsBaselines;
      eye.flagged = [];
      eye.refused.forgetSent();
      for (const event of events) eye.viewer.push(event);
    }
  }

  end(error: unknown): void {
    const ended = this.eyes;
    this.eyes = [];
    for (const { stream } of ended) stream?.end(error);
  }

  sweep(): void {
    this.forgetOldest();
    for (const { stream } of this.eyes) if (stream?.isSilent()) stream.wake();
  }

  now(): number {
    return this.options.now();
  }

  next(eye: Eye, stream: EyeStream): Uint8Array<ArrayBuffer> | undefined {
    const { viewer, refused, scene } = eye;
    const flags = eye.flags.isEmpty ? NO_FLAGS : eye.flags.take();
    const message = viewer.message({
      flags: flags.length === 0 ? NO_BYTES : flags.map((flag) => toBinary(FlagSchema, flag)),
      acknowledged: this.options.acknowledged(this.placement.zone.source.tick),
      refused: refused.waiting,
      scene,
      force: stream.isSilent(),
    });
    if (!message) {
      for (const flag of flags) eye.flags.put(flag);
      return undefined;
    }
    if (flags.length > 0) rememberFlags(eye, { sequence: viewer.sequence, flags });
    refused.sent(viewer.sequence);
    return message;
  }

  /** A stream has been closed: its viewer waits for a client that resumes. */
  close(eye: Eye, stream: EyeStream): void {
    if (eye.stream !== stream) return;
    eye.stream = undefined;
    eye.endedAt = this.now();
    this.forgetOldest();
  }

  private newEye(): Eye {
    const { options } = this;
    const eye: Eye = {
      viewer: this.newViewer(),
      flags: createFlagBox(),
      flagged: [],
      refused: createRefusedMoves(),
      stream: undefined,
      endedAt: 0,
      scene: () => {
        // The first message of a viewer begins afresh in any case.
        if (options.views && eye.viewer.sequence > 0) options.views.resynchronised++;
        return sceneOf(this.placement, options.viewRadius, options.wallClock());
      },
    };
    return eye;
  }

  private newViewer(): Viewer {
    const { views, newKey, character, viewRadius, writer } = this.options;
    return createViewer({
      source: this.placement.zone.source,
      key: newKey(),
      selfId: this.placement.entityId,
      ...{ character, radius: viewRadius, writer },
      onDropped(count) {
        if (views) views.droppedEvents += count;
      },
    });
  }

  private eyeFor(cursor: string): Eye {
    const at = parseCursor(cursor);
    const known = at && this.eyes.find(({ viewer }) => viewer.key === at.key);
    if (known) {
      known.viewer.resume(cursor);
      takeBack(known, at.sequence);
      return known;
    }
    const eye = this.newEye();
    this.eyes.push(eye);
    return eye;
  }

  /** Keeps at most so many viewers without a stream: those that ended last. */
  private forgetOldest(): void {
    if (this.eyes.every(({ stream }) => stream)) return;
    const now = this.now();
    const ended = this.eyes.filter(({ stream }) => !stream).sort((a, b) => b.endedAt - a.endedAt);
    const kept = new Set(
      ended.filter(({ endedAt }) => now - endedAt < RESUME_WINDOW_MS).slice(0, MAX_STREAMS),
    );
    this.eyes = this.eyes.filter((eye) => eye.stream || kept.has(eye));
  }
}

/** What one stream is sent. */
class EyeStream implements ReadyStream {
  private readonly streams: Streams;
  private readonly eye: Eye;
  private readonly once: boolean;
  private readonly onClosed: (() => void) | undefined;
  private lastMessageAt = Number.NEGATIVE_INFINITY;
  private onReady: (() => void) | undefined;
  private onFailure: ((error: unknown) => void) | undefined;
  private failure: { readonly error: unknown } | undefined;

  constructor(streams: Streams, eye: Eye, once: boolean, onClosed: (() => void) | undefined) {
    this.streams = streams;
    this.eye = eye;
    this.once = once;
    this.onClosed = onClosed;
  }

  next(): Uint8Array<ArrayBuffer> | undefined {
    if (this.failure) return undefined;
    const message = this.streams.next(this.eye, this);
    if (message) this.lastMessageAt = this.streams.now();
    return message;
  }

  ended(): boolean {
    return this.once && this.lastMessageAt !== Number.NEGATIVE_INFINITY;
  }

  wait(ready: () => void, fail: (error: unknown) => void): void {
    if (this.failure) {
      fail(this.failure.error);
      return;
    }
    this.onReady = ready;
    this.onFailure = fail;
  }

  close(): void {
    this.wake();
    this.streams.close(this.eye, this);
    this.onClosed?.();
  }

  /** Whether it has said nothing for so long that a heartbeat is due. */
  isSilent(): boolean {
    return this.streams.now() - this.lastMessageAt >= HEARTBEAT_MS;
  }

  /** Tells whoever waits that it is worth asking again. */
  wake(): void {
    const { onReady } = this;
    this.onReady = undefined;
    this.onFailure = undefined;
    onReady?.();
  }

  /** Ends the stream with an error. */
  end(error: unknown): void {
    if (this.failure) return;
    this.failure = { error };
    const { onFailure } = this;
    this.onReady = undefined;
    this.onFailure = undefined;
    onFailure?.(error);
  }
}

/** The serialized scene of a place, as it is at a time in milliseconds since 1970-01-01. */
function sceneOf({ zone, entityId }: Placement, viewRadius: number, timeMs: number): Uint8Array {
  const { name, mapRevision, tickRateHz } = zone;
  const serverTimeMs = BigInt(timeMs);
  const selfId = entityId;
  const scene = { zone: name, mapRevision, tickRateHz, selfId, viewRadius, serverTimeMs };
  return toBinary(SceneSchema, create(SceneSchema, scene));
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
