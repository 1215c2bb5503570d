import type { ZoneMap } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import type { Realmwire, WorldView } from "../../ts/index.ts";
import { createGlyphs } from "./glyphs.ts";
import type { Glyphs } from "./glyphs.ts";
import { createTerrain } from "./terrain.ts";
import type { Terrain } from "./terrain.ts";

/** How long after a map could not be fetched it is not asked for again, in milliseconds. */
const RETRY_MS = 2_000;

/** What stays while what is in view changes: the map under it, and the sign that each kind of thing has. */
export interface Surroundings {
  readonly glyphs: Glyphs;
  /** The ground of the zone of a view, as it is now. */
  terrain(view: WorldView): Promise<Terrain>;
  /** The ground that is known already, an older one or none while a newer one is being fetched. `onReady` is told when it is there. */
  terrainSoon(view: WorldView, onReady: () => void): Terrain | undefined;
  /** Notes that a map has this revision by now. */
  changed(zone: string, revision: number): void;
}

/** Creates surroundings of which nothing is known. */
export function createSurroundings(client: Pick<Realmwire, "map">): Surroundings {
  const revisions = new Map<string, number>();
  let known: { readonly map: ZoneMap; readonly terrain: Terrain } | undefined;
  let fetching: Promise<Terrain> | undefined;
  let failedAt = -Infinity;

  const isFresh = (view: WorldView): boolean => {
    if (known === undefined || known.map.zone !== view.scene?.zone) return false;
    const newest = Math.max(revisions.get(known.map.zone) ?? 0, view.scene.mapRevision);
    return known.map.revision >= newest;
  };
  const fetchMap = async (zone: string): Promise<Terrain> => {
    const map = await client.map(zone);
    known = { map, terrain: createTerrain(map) };
    return known.terrain;
  };
  const refresh = (view: WorldView): Promise<Terrain> => {
    fetching ??= fetchMap(view.scene?.zone ?? "").finally(() => (fetching = undefined));
    return fetching;
  };

  return {
    glyphs: createGlyphs(),
    terrain: async (view) => (known && isFresh(view) ? known.terrain : await refresh(view)),
    terrainSoon(view, onReady) {
      if (view.scene && !isFresh(view) && performance.now() - failedAt > RETRY_MS) {
        refresh(view).then(onReady, () => (failedAt = performance.now()));
      }
      return known?.map.zone === view.scene?.zone ? known?.terrain : undefined;
    },
    changed: (zone, revision) => void revisions.set(zone, revision),
  };
}
