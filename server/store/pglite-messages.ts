import type { CopiedFiles } from "./folder-copy.ts";

/** What the thread of the embedded database is started with. */
export interface PgliteWorkerData {
  readonly dataDir: string;
}

/** What the thread is asked. */
export type PgliteRequest =
  | {
      readonly kind: "query";
      readonly id: number;
      readonly sql: string;
      readonly parameters: readonly unknown[];
    }
  | CopyRequest
  | { readonly kind: "close" };

/** Completes a copy of the database's folder as it is at one moment. */
export interface CopyRequest {
  readonly kind: "copy";
  readonly id: number;
  readonly to: string;
  readonly copied: CopiedFiles;
}

/** What the thread tells. */
export type PgliteReport =
  | { readonly kind: "ready" }
  | {
      readonly kind: "rows";
      readonly id: number;
      readonly rows: readonly Record<string, unknown>[];
      readonly affected: number | undefined;
    }
  | { readonly kind: "copied"; readonly id: number; readonly pausedMs: number }
  | { readonly kind: "refused"; readonly id: number; readonly error: PgliteErrorFields }
  /** The database cannot go on; the thread ends. */
  | { readonly kind: "broken"; readonly reason: string };

/** An error that PostgreSQL gave, by the names that the `pg` driver uses. */
export interface PgliteErrorFields {
  readonly message: string;
  /** The SQLSTATE. */
  readonly code: string;
  readonly detail: string | undefined;
  readonly constraint: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;
}
