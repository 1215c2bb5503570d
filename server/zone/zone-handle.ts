import type { Input, Outcome } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { EditCommand, ZoneMap } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { Region } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type { Transfer } from "../sim/portals.ts";
import type { ViewSource } from "../sim/sight.ts";
import type { PersonalEvent } from "../sim/world.ts";
import type { StoredState } from "../sim/zone.ts";

/** What a zone tells those who use it. */
export interface ZoneListener {
  /** A tick has passed: viewers may look. */
  onTick?(): void;
  /** Something happened for a character. */
  onEvent?(event: PersonalEvent): void;
  /** A character left for another zone. */
  onTransfer?(transfer: Transfer): void;
  /** The map changed. */
  onMapChanged?(revision: number, region: Region): void;
  /** The speed of the zone's time changed, in percent of real time. */
  onSpeed?(percent: number): void;
  /** The zone has ended: by order, or because its simulation failed. */
  onStopped?(): void;
}

/** A batch of map commands, or a revision to be taken back. */
export interface EditOrder {
  readonly commands: readonly EditCommand[];
  /** 0: none. */
  readonly undoRevision: number;
  readonly dryRun: boolean;
  /** 0: whatever the revision is. */
  readonly expectedRevision: number;
  /** The name of the account that edits. */
  readonly author: string;
}

/** A running zone, as the gateway uses it: the same wherever it is simulated, which is why answers may be promises. */
export interface ZoneHandle {
  readonly name: string;
  readonly tickRateHz: number;
  /** What viewers look into. */
  readonly source: ViewSource;
  readonly mapRevision: number;
  characterCount(): number;
  apply(input: Input): Outcome | Promise<Outcome>;
  /** An entity in full; undefined when it is not there. */
  read(name: string): StoredState | undefined | Promise<StoredState | undefined>;
  /** Resolves when the stored state of an entity is committed as it is now; rejects with `STORE_UNAVAILABLE`. */
  durable(name: string): Promise<void>;
  map(): ZoneMap | Promise<ZoneMap>;
  /** Edits the map: one edit after the other, committed before anybody sees it. Rejects with the errors of the Edit call. */
  edit(order: EditOrder): Promise<{ revision: number; region: Region | undefined }>;
  /** Tells a listener until the function that comes back is called. */
  listen(listener: ZoneListener): () => void;
}
