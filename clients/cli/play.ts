import { Code } from "../ts/index.ts";
import type {
  ReconnectPolicy,
  RealmwireError,
  Realmwire,
  StreamState,
  World,
} from "../ts/index.ts";
import { secondsOf } from "./errors.ts";
import type { Line } from "./terminal/line.ts";
import { chatLine, flagText, noticeLine, troubleLine } from "./language/messages.ts";
import type { Surroundings } from "./map/surroundings.ts";

/** Attempts to get a lost connection back: about 40 seconds. */
const RECONNECT_ATTEMPTS = 12;
/** The longest pause between them, in milliseconds. */
const RECONNECT_PAUSE_MS = 5_000;
const RECONNECT: Partial<ReconnectPolicy> = {
  maxAttempts: RECONNECT_ATTEMPTS,
  maxDelayMs: RECONNECT_PAUSE_MS,
};

/** The world that a prompt keeps open, and what is heard in it. */
export interface Play {
  readonly world: World | undefined;
  /** Opens the world around the character that is played. Rejects when it cannot be opened. */
  enter(): Promise<void>;
  /** Closes it. */
  leave(): void;
}

/** What a play is made with. */
export interface PlayOptions {
  readonly client: Realmwire;
  readonly surroundings: Pick<Surroundings, "changed">;
  /** Shows what is heard and what happens. */
  readonly tell: (line: Line) => void;
  /** Told when the world was closed by an error for good. */
  readonly onLost: (error: RealmwireError) => void;
  readonly now: () => Date;
}

/** Creates a play without a world. */
export function createPlay(options: PlayOptions): Play {
  const { client, surroundings, tell, onLost, now } = options;
  let world: World | undefined;

  const leave = (): void => {
    const left = world;
    world = undefined;
    left?.close();
  };

  const listen = (opened: World): void => {
    opened.view.onEvent((event) => {
      if (event.case === "chat")
        tell(chatLine(event.value, client.session?.character ?? "", now()));
      if (event.case === "notice") tell(noticeLine(event.value, now()));
    });
    opened.view.onFlag((flag) => {
      if (flag.case === "map") surroundings.changed(flag.value.zone, flag.value.revision);
      const text = flagText(flag);
      if (text !== undefined) tell(noticeLine(text, now()));
    });
    let before: StreamState["kind"] = "connecting";
    let wasConnected = false;
    opened.onState((state) => {
      if (world !== opened) return;
      const text = connectionText(state, before);
      if (text !== undefined && wasConnected) tell(troubleLine(text, now()));
      before = state.kind;
      wasConnected ||= state.kind === "connected";
      if (state.kind !== "closed") return;
      world = undefined;
      if (state.error && wasConnected) onLost(state.error);
    });
  };

  return {
    get world() {
      return world;
    },
    async enter() {
      leave();
      const opened = client.connect({ reconnect: RECONNECT });
      world = opened;
      listen(opened);
      await opened.ready();
    },
    leave,
  };
}

/** What a change of the connection's state says to people. Undefined: nothing. */
function connectionText(state: StreamState, before: StreamState["kind"]): string | undefined {
  switch (state.kind) {
    case "connecting":
    case "closed":
      return undefined;
    case "connected":
      return before === "reconnecting" ? "connected again" : undefined;
    case "reconnecting": {
      // The session plays another character now: nothing was lost.
      if (state.error.code === Code.Aborted) return undefined;
      const next = `attempt ${state.attempt} of ${RECONNECT_ATTEMPTS} in ${secondsOf(state.retryInMs)}`;
      return before === "reconnecting"
        ? next
        : `the connection is lost (${state.error.message}): ${next}`;
    }
  }
}
