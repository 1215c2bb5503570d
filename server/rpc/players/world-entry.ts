import { create } from "@bufbuild/protobuf";
import { InputSchema } from "../../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { Outcome } from "../../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { CharacterRecord } from "../../../gen/ts/realmwire/internal/v1/record_pb.ts";
import { EntityStateSchema } from "../../../gen/ts/realmwire/internal/v1/state_pb.ts";
import type { EntityState } from "../../../gen/ts/realmwire/internal/v1/state_pb.ts";
import { EntityKind } from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError, hasReason } from "../../errors.ts";
import type { Store } from "../../store/store.ts";
import { characterKey } from "../../zone/saver.ts";
import type { Saver } from "../../zone/saver.ts";
import type { ZoneHandle } from "../../zone/zone-handle.ts";
import type { ZoneHost } from "../../zone/zone-host.ts";
import type { Placement } from "./player-streams.ts";

/** Puts characters into zones. */
export interface WorldEntry {
  /** Puts a stored character where it was last. Rejects with `CHARACTER_UNKNOWN`, and with what starting a zone rejects with. */
  enter(name: string, id: number): Promise<Placement>;
  /** Puts a character into a zone, at a spawn or, for an empty one, where it says that it is. */
  join(zone: string, character: EntityState, spawn: string): Promise<Placement>;
}

/** The way into the zones of a world. */
export function createWorldEntry(options: {
  store: Pick<Store, "findCharacter">;
  saver: Pick<Saver, "settled">;
  zones: Pick<ZoneHost, "get" | "running">;
  startZone: string;
}): WorldEntry {
  const { store, saver, zones, startZone } = options;

  /** A zone that the game no longer has must not lock its characters out: they begin again at the start. */
  async function zoneOrStart(name: string): Promise<ZoneHandle> {
    try {
      return await zones.get(name);
    } catch (error) {
      if (!hasReason(error, ErrorReason.ZONE_UNKNOWN) || name === startZone) throw error;
      return await zones.get(startZone);
    }
  }

  async function find(name: string): Promise<CharacterRecord> {
    const record = await store.findCharacter(name);
    if (record) return record;
    throw new DomainError(ErrorReason.CHARACTER_UNKNOWN, `there is no character "${name}"`, {
      metadata: { name },
    });
  }

  async function join(zoneName: string, character: EntityState, spawn: string): Promise<Placement> {
    const zone = await zoneOrStart(zoneName);
    // In another zone than the one that was meant, neither its spawn nor the stored place means anything.
    const isMeant = zone.name === zoneName;
    const joining = create(EntityStateSchema, { ...character });
    if (!isMeant) delete joining.position;
    const value = { character: joining, spawn: isMeant ? spawn : "" };
    const outcome = await zone.apply(create(InputSchema, { kind: { case: "join", value } }));
    if (outcome.kind.case !== "entityId") throw refusalError(outcome);
    return { zone, entityId: outcome.kind.value };
  }

  return {
    join,
    async enter(name, id) {
      // What was noted when it left last must be in the store before it is read.
      await saver.settled(characterKey(id));
      let record = await find(name);
      if (!zones.running(record.zone || startZone)) {
        // A zone that begins settles where its characters were when it ended.
        await zoneOrStart(record.zone || startZone);
        record = await find(name);
      }
      const { components, position, zone } = record;
      const state = create(EntityStateSchema, {
        name: record.name,
        kind: EntityKind.CHARACTER,
        characterId: record.id,
        components,
        ...(position && { position }),
      });
      return await join(zone || startZone, state, "");
    },
  };
}

/** The error that a refused input leads to. */
export function refusalError(outcome: Outcome): DomainError {
  if (outcome.kind.case === "refusal") {
    const { reason, message, metadata } = outcome.kind.value;
    return new DomainError(reason, message, { metadata });
  }
  throw new Error(`the zone answered ${outcome.kind.case}`);
}
