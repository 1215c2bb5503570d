import type { Flag } from "../../../gen/ts/realmwire/v1/flag_pb.ts";
import type { Session } from "../../account/session.ts";
import { createFlagBox } from "./flags.ts";
import type { FlagBox } from "./flags.ts";

/** Sessions whose flags are kept; beyond it those that called longest ago are forgotten. */
export const MAX_FLAGGED_SESSIONS = 50_000;

/** The flags that wait for each session's next answer. */
export interface AnswerFlags {
  /** Remembers a session, and the zone that its character is in or was last, so that flags which are raised from now on reach it. */
  remember(sessionKey: string, zone?: string): void;
  /** What the answer to a session carries. */
  take(session: Session | undefined): Flag[];
  put(sessionKey: string, flag: Flag): void;
  /** Raises a flag for every session whose character is in a zone, or was there last. */
  putForZone(zone: string, flag: Flag): void;
  /** Raises a flag for every session. */
  putForAll(flag: Flag): void;
  forget(sessionKey: string): void;
}

interface Known {
  readonly box: FlagBox;
  zone: string;
}

/** No sessions yet. */
export function createAnswerFlags(options: { maxSessions?: number } = {}): AnswerFlags {
  const limit = options.maxSessions ?? MAX_FLAGGED_SESSIONS;
  /** In the order of the last call, the longest ago first. */
  const known = new Map<string, Known>();

  function find(key: string): Known {
    const before = known.get(key);
    // As long as there is much room nobody is forgotten, and the order does not matter.
    if (before && known.size <= limit / 2) return before;
    const found = before ?? { box: createFlagBox(), zone: "" };
    known.delete(key);
    known.set(key, found);
    if (known.size > limit) {
      for (const oldest of known.keys()) {
        known.delete(oldest);
        break;
      }
    }
    return found;
  }

  return {
    remember(key, zone) {
      const session = find(key);
      if (zone !== undefined) session.zone = zone;
    },
    take: (session) => (session ? find(session.key).box.take() : []),
    put: (key, flag) => known.get(key)?.box.put(flag),
    putForZone(zone, flag) {
      for (const session of known.values()) if (session.zone === zone) session.box.put(flag);
    },
    putForAll(flag) {
      for (const { box } of known.values()) box.put(flag);
    },
    forget: (key) => void known.delete(key),
  };
}
