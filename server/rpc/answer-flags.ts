import type { Flag } from "../../gen/ts/realmwire/v1/flag_pb.ts";
import type { Session } from "../account/session.ts";
import { createFlagBox } from "./flags.ts";
import type { FlagBox } from "./flags.ts";

/** Sessions whose flags are kept; beyond it those that called longest ago are forgotten. */
export const MAX_FLAGGED_SESSIONS = 50_000;

/** The flags that wait for each session's next answer. */
export interface AnswerFlags {
  /** Remembers a session, so that flags which are raised from now on reach it. */
  remember(sessionKey: string): void;
  /** What the answer to a session carries. */
  take(session: Session | undefined): Flag[];
  put(sessionKey: string, flag: Flag): void;
  /** Raises a flag for every session. */
  putForAll(flag: Flag): void;
  forget(sessionKey: string): void;
}

/** No sessions yet. */
export function createAnswerFlags(options: { maxSessions?: number } = {}): AnswerFlags {
  const limit = options.maxSessions ?? MAX_FLAGGED_SESSIONS;
  /** In the order of the last call, the longest ago first. */
  const boxes = new Map<string, FlagBox>();

  function boxOf(key: string): FlagBox {
    const box = boxes.get(key) ?? createFlagBox();
    boxes.delete(key);
    boxes.set(key, box);
    if (boxes.size > limit) {
      for (const oldest of boxes.keys()) {
        boxes.delete(oldest);
        break;
      }
    }
    return box;
  }

  return {
    remember: (key) => void boxOf(key),
    take: (session) => (session ? boxOf(session.key).take() : []),
    put: (key, flag) => boxes.get(key)?.put(flag),
    putForAll(flag) {
      for (const box of boxes.values()) box.put(flag);
    },
    forget: (key) => void boxes.delete(key),
  };
}
