import { MAX_GROUP_DEPTH, MAX_LAYERS, MAX_NAME_LENGTH } from "./format.ts";
import { checkShape, groupSchema, layerSchema } from "./format.ts";
import type { Problems } from "./problems.ts";

/** A layer of tiles or objects, out of the groups that held it. */
export interface FlatLayer {
  /** Its name, behind those of its groups: `houses/roofs`. */
  readonly name: string;
  readonly type: "tilelayer" | "objectgroup";
  readonly raw: unknown;
}

/** Takes the layers of tiles and objects out of their groups, in drawing order; pictures are left out. */
export function flattenLayers(layers: readonly unknown[], problems: Problems): FlatLayer[] {
  const found: FlatLayer[] = [];
  collect(layers, "", 0, found, problems);
  if (found.length > MAX_LAYERS) {
    problems.add(`has ${found.length} layers; ${MAX_LAYERS} are allowed`);
  }
  const names = new Set<string>();
  for (const { name } of found) {
    if (names.has(name)) problems.within(`layer "${name}"`).add("another layer has this name");
    names.add(name);
  }
  return found.slice(0, MAX_LAYERS);
}

function collect(
  layers: readonly unknown[],
  prefix: string,
  depth: number,
  found: FlatLayer[],
  problems: Problems,
): void {
  for (const [index, raw] of layers.entries()) {
    const unnamed = `layer ${prefix}${index + 1}`;
    const layer = checkShape(layerSchema, raw, problems.within(unnamed));
    if (layer === undefined) continue;
    const name = prefix + layer.name;
    const place = problems.within(layer.name === "" ? unnamed : `layer "${name}"`);
    if (layer.type === "imagelayer") continue;
    if (layer.name === "" || name.length > MAX_NAME_LENGTH) {
      place.add(`needs a name of 1 to ${MAX_NAME_LENGTH} characters, with those of its groups`);
    }
    // A shift moves what is seen but not the barriers, so nobody can have meant it.
    if (layer.offsetx !== 0 || layer.offsety !== 0) place.add("must not be shifted (offset)");
    if (layer.type === "group") {
      const group = checkShape(groupSchema, raw, place);
      if (depth + 1 > MAX_GROUP_DEPTH) place.add(`groups deeper than ${MAX_GROUP_DEPTH}`);
      else if (group !== undefined) collect(group.layers, `${name}/`, depth + 1, found, problems);
    } else if (layer.type === "tilelayer" || layer.type === "objectgroup") {
      found.push({ name, type: layer.type, raw });
    } else {
      place.add(`layers of type "${layer.type}" are unknown`);
    }
  }
}
