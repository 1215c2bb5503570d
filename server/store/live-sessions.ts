import type { SqlEntityManager } from "@mikro-orm/sql";
import type { SessionState } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { rows } from "./database.ts";
import { LIVE, stateName } from "./records.ts";

/** Which live sessions end, and how. */
export interface SessionsToEnd {
  readonly state: SessionState;
  /** Why, for the holder. */
  readonly reason?: string;
  readonly accountId: number;
  /** Only those that play this character. */
  readonly characterId?: number;
  /** But this one, by its token hash. */
  readonly except?: Uint8Array;
}

/** Ends live sessions; their token hashes come back. */
export async function endLiveSessions(
  em: SqlEntityManager,
  { state, reason = "", accountId, characterId, except }: SessionsToEnd,
): Promise<Uint8Array[]> {
  const ended = await rows<{ readonly hash: string }>(
    em,
    `update sessions set state = $1, end_reason = $2 where account_id = $3 and state = $4
       and ($5::int is null or character_id = $5) and token_hash <> decode($6, 'hex')
     returning encode(token_hash, 'hex') as hash`,
    [
      stateName(state),
      reason,
      accountId,
      LIVE,
      characterId ?? null,
      Buffer.from(except ?? []).toString("hex"),
    ],
  );
  return ended.map(({ hash }) => new Uint8Array(Buffer.from(hash, "hex")));
}
