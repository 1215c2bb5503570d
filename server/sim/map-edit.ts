import { clone, create } from "@bufbuild/protobuf";
import { EditCommandSchema } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type {
  EditCommand,
  MapObject,
  Portal,
  SetBarriers,
  SetTiles,
  Spawn,
} from "../../gen/ts/realmwire/v1/map_pb.ts";
import { RegionSchema } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type { Region, Vector } from "../../gen/ts/realmwire/v1/value_pb.ts";
import type { AttributeField } from "./components.ts";
import { valueProblem } from "./value.ts";
import { START_SPAWN, putNamed } from "./world-map.ts";
import type { WorldMap } from "./world-map.ts";

/** Tiles that one edit may change in all. */
export const MAX_EDITED_TILES = 262_144;

/** What commands are checked against besides the map. */
export interface EditRules {
  /** Whether the game has a kind of this name. */
  hasKind(kind: string): boolean;
  hasZone(zone: string): boolean;
  attribute(name: string): AttributeField | undefined;
}

/** A command that cannot be carried out. */
export interface EditProblem {
  readonly field: string;
  readonly description: string;
}

/** What an edit did. */
export interface EditResult {
  /** What takes it back, in the order in which it has to be done. */
  readonly inverse: EditCommand[];
  /** Everything that changed lies inside; undefined when nothing did. */
  readonly region: Region | undefined;
}

/**
 * Carries commands out on a map, all or none: either the result comes back, or the problems of the first
 * command that cannot be carried out and the map is as it was. The map's revision is left alone.
 */
export function editMap(
  map: WorldMap,
  commands: readonly EditCommand[],
  rules: EditRules,
): { result: EditResult } | { problems: EditProblem[] } {
  /** What takes each command back, command by command. */
  const undo: EditCommand[][] = [];
  let region: Region | undefined;
  let tiles = 0;
  for (const [index, command] of commands.entries()) {
    const at = (name: string) => `commands[${index}].${name}`;
    const problems = checkCommand(map, command, rules, at);
    tiles += countTiles(command);
    if (tiles > MAX_EDITED_TILES) {
      problems.push({
        field: "commands",
        description: `more than ${MAX_EDITED_TILES} tiles in all`,
      });
    }
    if (problems.length > 0) {
      for (const command of undo.reverse().flat()) carryOut(map, command);
      return { problems };
    }
    const done = carryOut(map, command);
    undo.push(done.inverse);
    region = unite(region, done.region);
  }
  return { result: { inverse: undo.reverse().flat(), region } };
}

/**
 * What {@link editMap} would answer; the map stays as it is. The commands are carried out and taken back at once, so that
 * it costs what they change and not what the map holds.
 */
export function checkEdit(
  map: WorldMap,
  commands: readonly EditCommand[],
  rules: EditRules,
): { result: EditResult } | { problems: EditProblem[] } {
  const edited = editMap(map, commands, rules);
  if ("problems" in edited) return edited;
  const { inverse, region } = edited.result;
  for (const command of inverse) carryOut(map, command);
  // What the map holds is not for others to keep.
  return {
    result: { inverse: inverse.map((command) => clone(EditCommandSchema, command)), region },
  };
}

function checkCommand(
  map: WorldMap,
  { kind }: EditCommand,
  rules: EditRules,
  at: (name: string) => string,
): EditProblem[] {
  const problems: EditProblem[] = [];
  const problem = (field: string, description: string) =>
    problems.push({ field: at(field), description });
  const checkPlace = (field: string, place: Vector | undefined) => {
    if (!place || !(place.x >= 0 && place.y >= 0 && place.x < map.width && place.y < map.height)) {
      problem(field, `is not inside the map, 0 to ${map.width} by 0 to ${map.height} tiles`);
    }
  };
  const checkExists = (field: string, what: ReadonlyMap<string, unknown>, name: string) => {
    if (!what.has(name)) problem(field, `there is none called "${name}"`);
  };
  switch (kind.case) {
    case "setTiles": {
      const { layer, region, tiles } = kind.value;
      checkExists("set_tiles.layer", map.layers, layer);
      if (!isInside(map, region)) {
        problem("set_tiles.region", `is not inside the map, ${map.width} × ${map.height} tiles`);
      } else if (tiles.length !== 1 && tiles.length !== region.width * region.height) {
        problem("set_tiles.tiles", `needs 1 or ${region.width * region.height} tiles`);
      }
      const unknown = tiles.find((tile) => !map.hasTile(tile));
      if (unknown !== undefined) problem("set_tiles.tiles", `${unknown} is in no tileset`);
      break;
    }
    case "setBarriers":
      if (!isInside(map, kind.value.region)) {
        problem("set_barriers.region", `is not inside the map, ${map.width} × ${map.height} tiles`);
      }
      break;
    case "putObject":
      checkPlace("put_object.position", kind.value.position);
      if (!rules.hasKind(kind.value.kind)) {
        problem("put_object.kind", `the game has no kind "${kind.value.kind}"`);
      }
      for (const [name, value] of Object.entries(kind.value.attributes)) {
        const found = rules.attribute(name);
        const wrong = found
          ? valueProblem(found.type.schema, found.field, value)
          : "the game has no such attribute";
        if (wrong) problem("put_object.attributes", `${name}: ${wrong}`);
      }
      break;
    case "putSpawn":
      checkPlace("put_spawn.position", kind.value.position);
      if (kind.value.kind !== "" && !rules.hasKind(kind.value.kind)) {
        problem("put_spawn.kind", `the game has no kind "${kind.value.kind}"`);
      }
      if (kind.value.kind !== "" && kind.value.name === START_SPAWN) {
        problem("put_spawn.kind", `characters begin at "${START_SPAWN}"`);
      }
      break;
    case "putPortal":
      if (!isInside(map, kind.value.region)) {
        problem("put_portal.region", `is not inside the map, ${map.width} × ${map.height} tiles`);
      }
      if (!rules.hasZone(kind.value.targetZone)) {
        problem("put_portal.target_zone", `there is no zone "${kind.value.targetZone}"`);
      }
      break;
    case "removeObject":
      checkExists("remove_object", map.objects, kind.value);
      break;
    case "removeSpawn":
      checkExists("remove_spawn", map.spawns, kind.value);
      if (kind.value === START_SPAWN) problem("remove_spawn", "characters begin there");
      break;
    case "removePortal":
      checkExists("remove_portal", map.portals, kind.value);
      break;
    case undefined:
      problem("kind", "is missing");
      break;
  }
  return problems;
}

function isInside(map: WorldMap, region: Region | undefined): region is Region {
  return (
    region !== undefined &&
    region.width > 0 &&
    region.height > 0 &&
    region.x >= 0 &&
    region.y >= 0 &&
    region.x + region.width <= map.width &&
    region.y + region.height <= map.height
  );
}

function countTiles({ kind }: EditCommand): number {
  const region =
    kind.case === "setTiles" || kind.case === "setBarriers" ? kind.value.region : undefined;
  return region ? region.width * region.height : 0;
}

interface Done {
  readonly inverse: EditCommand[];
  readonly region: Region;
}

function carryOut(map: WorldMap, { kind }: EditCommand): Done {
  switch (kind.case) {
    case "setTiles":
      return setTiles(map, kind.value);
    case "setBarriers":
      return setBarriers(map, kind.value);
    case "putObject":
      return put(map.objects, kind.value, placeOf, "putObject", "removeObject");
    case "removeObject":
      return take(map.objects, kind.value, placeOf, "putObject");
    case "putSpawn":
      return put(map.spawns, kind.value, placeOf, "putSpawn", "removeSpawn");
    case "removeSpawn":
      return take(map.spawns, kind.value, placeOf, "putSpawn");
    case "putPortal":
      return put(map.portals, kind.value, regionOf, "putPortal", "removePortal");
    case "removePortal":
      return take(map.portals, kind.value, regionOf, "putPortal");
    case undefined:
      return { inverse: [], region: create(RegionSchema) };
  }
}

function setTiles(map: WorldMap, { layer, region, tiles }: SetTiles): Done {
  const target = map.layers.get(layer)?.tiles as number[];
  const area = region as Region;
  const before: number[] = [];
  const barriers: EditCommand[] = [];
  const single = tiles.length === 1;
  eachTile(area, (x, y, i) => {
    const place = y * map.width + x;
    const wasSolid = map.solid(x, y);
    const wasBlocked = map.blocked(x, y);
    before.push(target[place] as number);
    target[place] = tiles[single ? 0 : i] as number;
    map.setBlocked(x, y, map.solid(x, y));
    // Putting the old tile back gives a barrier by its solidity; where that was overruled, say so.
    if (wasBlocked !== wasSolid) barriers.push(barrierCommand(x, y, 1, wasBlocked));
  });
  const undo = { layer, region: area, tiles: before };
  const inverse = create(EditCommandSchema, { kind: { case: "setTiles", value: undo } });
  return { inverse: [inverse, ...barriers], region: area };
}

function setBarriers(map: WorldMap, { region, blocked }: SetBarriers): Done {
  const area = region as Region;
  const inverse: EditCommand[] = [];
  // Neighbours in a row that were alike share a command.
  for (let y = area.y; y < area.y + area.height; y++) {
    let start = area.x;
    for (let x = area.x; x < area.x + area.width; x++) {
      const next = x + 1;
      const was = map.blocked(x, y);
      if (next === area.x + area.width || map.blocked(next, y) !== was) {
        inverse.push(barrierCommand(start, y, next - start, was));
        start = next;
      }
    }
  }
  eachTile(area, (x, y) => map.setBlocked(x, y, blocked));
  return { inverse, region: area };
}

function barrierCommand(x: number, y: number, width: number, blocked: boolean): EditCommand {
  return create(EditCommandSchema, {
    kind: { case: "setBarriers", value: { region: { x, y, width, height: 1 }, blocked } },
  });
}

function eachTile(area: Region, visit: (x: number, y: number, index: number) => void): void {
  let index = 0;
  for (let y = area.y; y < area.y + area.height; y++) {
    for (let x = area.x; x < area.x + area.width; x++) visit(x, y, index++);
  }
}

type Named = MapObject | Spawn | Portal;
type PutCase = "putObject" | "putSpawn" | "putPortal";
type RemoveCase = "removeObject" | "removeSpawn" | "removePortal";

function put<T extends Named>(
  items: Map<string, T>,
  item: T,
  area: (item: T) => Region,
  putCase: PutCase,
  removeCase: RemoveCase,
): Done {
  const before = items.get(item.name);
  putNamed(items, item);
  if (before)
    return { inverse: [putCommand(putCase, before)], region: united(area(before), area(item)) };
  const undo = create(EditCommandSchema, { kind: { case: removeCase, value: item.name } });
  return { inverse: [undo], region: area(item) };
}

function take<T extends Named>(
  items: Map<string, T>,
  name: string,
  area: (item: T) => Region,
  putCase: PutCase,
): Done {
  const before = items.get(name) as T;
  items.delete(name);
  return { inverse: [putCommand(putCase, before)], region: area(before) };
}

function putCommand(putCase: PutCase, value: Named): EditCommand {
  return create(EditCommandSchema, { kind: { case: putCase, value } as EditCommand["kind"] });
}

function placeOf({ position }: { position?: Vector | undefined }): Region {
  const x = Math.floor(position?.x ?? 0);
  const y = Math.floor(position?.y ?? 0);
  return create(RegionSchema, { x, y, width: 1, height: 1 });
}

function regionOf({ region }: Portal): Region {
  return region ?? create(RegionSchema);
}

/** The least region that holds both. */
export function unite(a: Region | undefined, b: Region): Region {
  return a === undefined ? b : united(a, b);
}

function united(a: Region, b: Region): Region {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  const width = Math.max(a.x + a.width, b.x + b.width) - x;
  const height = Math.max(a.y + a.height, b.y + b.height) - y;
  return create(RegionSchema, { x, y, width, height });
}
