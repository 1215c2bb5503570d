import { create } from "@bufbuild/protobuf";
import type { Message } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import type { CharacterRecord } from "../../../gen/ts/realmwire/internal/v1/record_pb.ts";
import {
  BodySchema,
  EntityKind,
  OnlineStatus,
  PresenceSchema,
} from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import type { Body } from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import type { Vector } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import type { Session } from "../../account/session.ts";
import { DomainError } from "../../errors.ts";
import { createCell, packWhole, unpackComponent } from "../../sim/components.ts";
import type { ComponentTypes } from "../../sim/components.ts";
import { nameKey } from "../../store/store.ts";
import type { Store } from "../../store/store.ts";
import { characterKey } from "../../zone/saver.ts";
import type { Saver } from "../../zone/saver.ts";
import type { ZoneHandle } from "../../zone/zone-handle.ts";
import type { Player } from "../players/player.ts";
import type { Players } from "../players/players.ts";

/** What a name stands for, with all its components. */
export interface Target {
  readonly name: string;
  /** The name of the character that owns it; empty: nobody. A character owns itself. */
  readonly owner: string;
  readonly zone: string;
  readonly position: Vector | undefined;
  readonly velocity: Vector | undefined;
  readonly components: readonly Any[];
  /** Where its state lives: in a running zone, or, for a character that is not in the world, in the store. */
  readonly where:
    | { readonly kind: "zone"; readonly zone: ZoneHandle }
    | { readonly kind: "store"; readonly record: CharacterRecord };
}

/** Finds what names stand for. */
export interface Targets {
  /** The caller's own character for an empty name, else a character, else a thing in the caller's zone. Rejects with `NAME_UNKNOWN`. */
  find(session: Session, name: string): Promise<Target>;
  /** A character that is in the world. */
  live(player: Player): Promise<Target>;
  /** A character as it is stored, after what waits for the store. */
  stored(name: string): Promise<CharacterRecord | undefined>;
}

/** Finds among the characters and things of a world. */
export function createTargets(options: {
  types: ComponentTypes;
  players: Players;
  store: Pick<Store, "findCharacter">;
  saver: Saver;
}): Targets {
  const { types, players, store, saver } = options;

  async function find(session: Session, name: string): Promise<Target> {
    const self = await players.enter(session);
    if (name === "" || nameKey(name) === nameKey(self.character.name)) return await live(self);
    const other = players.find(name);
    if (other) return await live(other);
    const { zone } = await self.placement();
    const thing = await inZone(zone, name);
    if (thing) return thing;
    const record = await stored(name);
    if (record) return offlineTarget(types, record);
    throw new DomainError(ErrorReason.NAME_UNKNOWN, `nobody and nothing here is called "${name}"`, {
      metadata: { name },
    });
  }

  async function live(player: Player): Promise<Target> {
    let zone: ZoneHandle | undefined;
    for (;;) {
      const at = await player.placement();
      // Once more only where it went on to another zone while it was looked for.
      if (at.zone === zone) break;
      ({ zone } = at);
      const target = await inZone(zone, player.character.name);
      if (target) return target;
    }
    throw new DomainError(ErrorReason.ZONE_STOPPED, "the character just left the zone", {
      retryDelayMs: 100,
    });
  }

  async function inZone(zone: ZoneHandle, name: string): Promise<Target | undefined> {
    const state = await zone.read(name);
    if (!state) return undefined;
    const { kind, position, velocity, components } = state.entity;
    const body = findComponent(types, components, BodySchema.typeName) as Body | undefined;
    const owner = kind === EntityKind.CHARACTER ? name : (body?.owner ?? "");
    return {
      name,
      owner,
      zone: zone.name,
      position,
      velocity,
      components,
      where: { kind: "zone", zone },
    };
  }

  async function stored(name: string): Promise<CharacterRecord | undefined> {
    const record = await store.findCharacter(name);
    if (!record) return undefined;
    // It may just have left, with its last state still on its way to the store.
    await saver.settled(characterKey(record.id));
    return await store.findCharacter(name);
  }

  return { find, live, stored };
}

function offlineTarget(types: ComponentTypes, record: CharacterRecord): Target {
  const { name, zone, position } = record;
  const presence = create(PresenceSchema, { online: OnlineStatus.OFFLINE });
  const type = types.byName(PresenceSchema.typeName);
  const components = [...record.components];
  if (type) components.push(packWhole(createCell(type, presence, 0)));
  return {
    name,
    owner: name,
    zone,
    position,
    velocity: undefined,
    components,
    where: { kind: "store", record },
  };
}

/** A component among packed ones, unpacked; undefined when it is not among them. */
export function findComponent(
  types: ComponentTypes,
  components: readonly Any[],
  typeName: string,
): Message | undefined {
  const any = components.find(({ typeUrl }) => typeUrl.endsWith(`/${typeName}`));
  return any && unpackComponent(types, any)?.message;
}
