import { OnlineStatus } from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { ZoneService } from "../../../gen/ts/realmwire/v1/zone_service_pb.ts";
import { DomainError } from "../../errors.ts";
import type { ComponentTypes } from "../../sim/components.ts";
import type { Store } from "../../store/store.ts";
import type { ZoneHost } from "../../zone/zone-host.ts";
import { visibleMap } from "./map-attributes.ts";
import { readPageToken, writePageToken } from "./page-token.ts";
import type { Players } from "../players/players.ts";
import { requireSession } from "../pipeline/require-session.ts";
import { defineService } from "../service.ts";
import type { ServiceDefinition } from "../service.ts";

const DEFAULT_PAGE_SIZE = 50;
const LIST = "z1";

/** The service of the zones and their maps. */
export function createZoneService(options: {
  zones: ZoneHost;
  players: Players;
  store: Pick<Store, "findCharacter">;
  types: ComponentTypes;
}): ServiceDefinition {
  const { zones, players, store, types } = options;
  return defineService(ZoneService, {
    listZones({ pageSize, pageToken }) {
      const size = pageSize || DEFAULT_PAGE_SIZE;
      const after = pageToken === "" ? "" : readPageToken(LIST, pageToken);
      const rest = zones.names.filter((name) => name > after);
      const page = rest.slice(0, size);
      return {
        zones: page.map((name) => {
          const running = zones.running(name);
          return {
            name,
            running: running !== undefined,
            characters: running?.characterCount() ?? 0,
            mapRevision: running?.mapRevision ?? 0,
          };
        }),
        nextPageToken: rest.length > size ? writePageToken(LIST, page.at(-1) ?? "") : "",
      };
    },
    async getMap({ zone, knownRevision }, call) {
      const session = requireSession(call);
      const name = zone || (await players.enter(session)).zoneName;
      const handle = await zones.get(name);
      const revision = handle.mapRevision;
      if (revision === knownRevision) return { revision };
      return { revision, map: visibleMap(types, session, await handle.map()) };
    },
    async locateCharacter({ name }) {
      const player = players.find(name);
      if (player) {
        const online = player.online ? OnlineStatus.ONLINE : OnlineStatus.OFFLINE;
        return { name: player.character.name, zone: player.zoneName, online };
      }
      const record = await store.findCharacter(name);
      if (record) return { name: record.name, zone: record.zone, online: OnlineStatus.OFFLINE };
      throw new DomainError(ErrorReason.NAME_UNKNOWN, `there is no character "${name}"`, {
        metadata: { name },
      });
    },
  });
}
