import { clone, create } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { InputSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { EditRecordSchema } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import type { EditRecord } from "../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import type { EditCommand, ZoneMap } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { Region } from "../../gen/ts/realmwire/v1/value_pb.ts";
import { DomainError, hasReason } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { editMap } from "../sim/map-edit.ts";
import type { EditProblem, EditRules } from "../sim/map-edit.ts";
import { createWorldMap } from "../sim/world-map.ts";
import { ZoneMapSchema } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { Store } from "../store/store.ts";
import { createTurns } from "../turns.ts";
import type { ZoneEngine } from "./zone-engine.ts";
import type { EditOrder } from "./zone-handle.ts";

/**
 * The map of a zone with all stored edits carried out. An edit that no longer fits, because the game's
 * file changed, is reported and passed over.
 */
export function replayEdits(
  base: ZoneMap,
  edits: readonly EditRecord[],
  rules: EditRules,
  logger: Logger,
): ZoneMap {
  if (edits.length === 0) return clone(ZoneMapSchema, base);
  const map = createWorldMap(base);
  for (const { revision, commands } of edits) {
    const edited = editMap(map, commands, rules);
    if ("problems" in edited) {
      const { zone } = map;
      logger.warn({ zone, revision, problems: edited.problems }, "a stored edit no longer fits");
    }
    map.revision = revision;
  }
  return map.toMessage();
}

/** How long after an edit whose fate is unknown the store is asked what came of it, in milliseconds. */
export const RECHECK_MS = 1_000;

/**
 * Edits a zone's map: one batch after the other, and each committed before anybody sees it. An edit that the store
 * took without being able to say so is shown as soon as the store answers again.
 */
export interface ZoneEditor {
  edit(order: EditOrder): Promise<{ revision: number; region: Region | undefined }>;
  /** The zone has stopped: nothing is shown any more. */
  close(): void;
}

/** Edits of one zone that wait for each other; with a store that hangs, each may wait as long as the store's time limit. */
export const MAX_WAITING_EDITS = 32;
/** What an edit beyond that is told to wait, in milliseconds. */
const RETRY_EDIT_MS = 1_000;

/** An editor of a running zone. */
export function createZoneEditor(options: {
  zone: Pick<ZoneEngine, "name" | "map" | "checkEdit">;
  store: Pick<Store, "appendEdit" | "listEdits" | "findCharacter">;
  /** Whether characters can appear at this spawn of a zone. */
  hasSpawn(zone: string, spawn: string): boolean;
  /** Carries the input out on the running zone. */
  apply: (input: ReturnType<typeof create<typeof InputSchema>>) => unknown;
  onChanged: (revision: number, region: Region, commands: readonly EditCommand[]) => void;
}): ZoneEditor {
  const { zone, store } = options;
  const turns = createTurns<"edit">();
  /** Whether the store may have an edit that is not shown. */
  let isBehind = false;
  let recheck: NodeJS.Timeout | undefined;
  let closed = false;
  let waiting = 0;

  async function inTurn(order: EditOrder) {
    if (waiting >= MAX_WAITING_EDITS) {
      throw new DomainError(ErrorReason.TOO_MANY_CALLS, "too many edits of the zone wait", {
        metadata: { limit: String(MAX_WAITING_EDITS) },
        retryDelayMs: RETRY_EDIT_MS,
      });
    }
    waiting++;
    try {
      return await turns.take("edit", () => carryOut(order));
    } finally {
      waiting--;
    }
  }

  async function carryOut(order: EditOrder) {
    await catchUp();
    const present = zone.map.revision;
    if (order.expectedRevision !== 0 && order.expectedRevision !== present) {
      throw new DomainError(
        ErrorReason.REVISION_CONFLICT,
        `the map's revision is ${present}, not ${order.expectedRevision}`,
        { metadata: { revision: String(present) } },
      );
    }
    const commands = order.undoRevision > 0 ? await inverseOf(order.undoRevision) : order.commands;
    const checked = zone.checkEdit(commands);
    if ("problems" in checked) throw editRefused(checked.problems);
    const outside = await checkOutside(commands);
    if (outside.length > 0) throw editRefused(outside);
    const { inverse, region } = checked.result;
    const revision = present + 1;
    if (order.dryRun) return { revision, region };
    const { author, undoRevision: undoes } = order;
    const time = timestampNow();
    const record = create(EditRecordSchema, {
      zone: zone.name,
      revision,
      commands: [...commands],
      inverse,
      author,
      time,
      undoes,
    });
    try {
      await store.appendEdit(record);
    } catch (error) {
      isBehind = true;
      checkSoon();
      throw error;
    }
    await show(record, region);
    return { revision, region };
  }

  async function show(
    { revision, commands }: EditRecord,
    region: Region | undefined,
  ): Promise<void> {
    const value = { revision, commands };
    try {
      await options.apply(create(InputSchema, { kind: { case: "edit", value } }));
    } catch (error) {
      // It is stored: the zone's next run begins with it.
      if (hasReason(error, ErrorReason.ZONE_STOPPED)) return;
      throw error;
    }
    if (region) options.onChanged(revision, region, commands);
  }

  /** Shows edits that the store has beyond the map's revision: it may have taken one and not been able to say so. */
  async function catchUp(): Promise<void> {
    if (!isBehind) return;
    const edits = await store.listEdits(zone.name);
    isBehind = false;
    if (closed) return;
    for (const edit of edits) {
      if (edit.revision <= zone.map.revision) continue;
      const checked = zone.checkEdit(edit.commands);
      await show(edit, "result" in checked ? checked.result.region : undefined);
    }
  }

  function checkSoon(): void {
    if (closed) return;
    clearTimeout(recheck);
    recheck = setTimeout(() => void turns.take("edit", catchUp).catch(checkSoon), RECHECK_MS);
  }

  /** What the zone itself cannot know: the other zones, and the characters that are not in it. */
  async function checkOutside(commands: readonly EditCommand[]): Promise<EditProblem[]> {
    const problems: EditProblem[] = [];
    for (const [index, { kind }] of commands.entries()) {
      const at = `commands[${index}]`;
      if (kind.case === "putPortal" && kind.value.targetSpawn !== "") {
        const { targetZone, targetSpawn } = kind.value;
        if (options.hasSpawn(targetZone, targetSpawn)) continue;
        const description = `characters cannot appear at "${targetSpawn}" in "${targetZone}"`;
        problems.push({ field: `${at}.put_portal.target_spawn`, description });
      } else if (kind.case === "putObject" && (await store.findCharacter(kind.value.name))) {
        const description = `is the name of a character`;
        problems.push({ field: `${at}.put_object.name`, description });
      }
    }
    return problems;
  }

  async function inverseOf(revision: number): Promise<EditCommand[]> {
    const edits = await store.listEdits(zone.name);
    const found = edits.find((edit) => edit.revision === revision);
    if (found) return found.inverse;
    throw editRefused([{ field: "undo_revision", description: `the map has no edit ${revision}` }]);
  }

  return {
    edit: inTurn,
    close() {
      closed = true;
      clearTimeout(recheck);
    },
  };
}

function editRefused(violations: readonly EditProblem[]): DomainError {
  const [first] = violations;
  return new DomainError(
    ErrorReason.EDIT_REFUSED,
    `the edit cannot be carried out: ${first?.field}: ${first?.description}`,
    { violations },
  );
}
