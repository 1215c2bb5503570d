import { EntityKind, RealmwireError } from "../../ts/index.ts";
import type { WorldEntity, WorldView } from "../../ts/index.ts";
import { namesInView, viewOf } from "../command.ts";
import type { Answer, Command, Context } from "../command.ts";
import { line, span } from "../terminal/line.ts";
import type { Line } from "../terminal/line.ts";
import { drawMap, legendOf, tokensOf } from "../map/map-drawing.ts";
import { distanceBetween, matchEntities, windTo } from "../language/match.ts";
import { formatPlace, formatValue, valueData } from "../language/values.ts";
import { joinColumns } from "../terminal/columns.ts";
import { enumName } from "../language/enum-name.ts";

/** Rows that the prompt and the line above it need below a map. */
const ROWS_BESIDE_MAP = 3;
/** A map of fewer rows shows nothing. */
const MIN_MAP_ROWS = 3;

/** Seeing what is there. */
export const lookCommands: readonly Command[] = [
  {
    name: "look",
    aliases: ["map", "l"],
    usage: "[id | part of an id | part of a name]",
    summary: "draw what is around you, or tell all about one of it",
    details: [
      "Without anything the map is drawn, as large as the terminal.",
      "With an id, a name, the beginning of one or a part of a name: all that you may see of that thing; where several fit, a list of them.",
    ],
    examples: ["look", "look well", "look 16", "look sign"],
    needs: "login",
    complete: (context, words) => (words.length === 1 ? namesInView(context) : []),
    async run(context, input) {
      const wanted = input.rest(0);
      return wanted === "" ? await drawSurroundings(context) : await describe(context, wanted);
    },
  },
  {
    name: "around",
    aliases: ["who"],
    usage: "",
    summary: "list what is in view: ids, names, kinds, places, the nearest first",
    examples: ["around"],
    needs: "login",
    async run(context) {
      const view = await viewOf(context);
      return list([...view.entities.values()], view);
    },
  },
];

async function drawSurroundings(context: Context): Promise<Answer> {
  const { surroundings, size } = context;
  const view = await viewOf(context);
  const terrain = await surroundings.terrain(view);
  const { self } = view;
  const center = self?.position ?? { x: 0, y: 0 };
  const tokens = tokensOf(
    view.entities.values(),
    self,
    (entity) => surroundings.glyphs.of(entity, self),
    ({ position }) => position,
  );
  const legend = joinColumns(legendOf(tokens), size.columns);
  const rows = Math.max(MIN_MAP_ROWS, size.rows - ROWS_BESIDE_MAP - legend.length);
  return {
    lines: [
      line(`${view.scene?.zone} · ${formatPlace(center)}`, { bold: true }),
      ...drawMap({ terrain, tokens, center }, size.columns, rows),
      ...legend,
    ],
    data: { zone: view.scene?.zone, position: center, entities: entitiesData(view) },
  };
}

async function describe(context: Context, wanted: string): Promise<Answer> {
  const view = await viewOf(context);
  const found = matchEntities(view.entities.values(), wanted);
  const [entity] = found;
  if (entity === undefined) {
    const text = `Nothing in view is called "${wanted}", not even in part, or has such an id.`;
    throw new NothingFound(text);
  }
  if (found.length > 1) {
    const { lines, data } = list(found, view);
    return { lines: [line(`${found.length} things fit:`), ...lines], data };
  }
  const attributes = await context.client.get(entity.name).catch((error: unknown) => {
    // It may have left in the meantime, or have no name; then there is what the view knows.
    if (error instanceof RealmwireError) return {};
    throw error;
  });
  const types = [...entity.components.keys()];
  const width = Math.max(0, ...Object.keys(attributes).map((name) => name.length));
  return {
    lines: [
      describeEntity(entity, view),
      ...Object.entries(attributes).map(([name, value]) => [
        span(`  ${name.padEnd(width)}  `, { dim: true }),
        span(formatValue(value, context.types.field(name, types))),
      ]),
    ],
    data: {
      ...entityData(entity),
      attributes: Object.fromEntries(
        Object.entries(attributes).map(([name, value]) => [name, valueData(value)]),
      ),
    },
  };
}

/** Told with exit code 1 in scripts. */
class NothingFound extends Error {
  override readonly name = "NothingFound";
}

function list(entities: readonly WorldEntity[], view: WorldView): Answer {
  const own = view.self?.position ?? { x: 0, y: 0 };
  const sorted = entities.toSorted(
    (a, b) => distanceBetween(a.position, own) - distanceBetween(b.position, own),
  );
  return {
    lines: sorted.map((entity) => describeEntity(entity, view)),
    data: sorted.map(entityData),
  };
}

function describeEntity(entity: WorldEntity, { self }: WorldView): Line {
  const { id, name, position } = entity;
  const away = self ? distanceBetween(self.position, position) : 0;
  const isSelf = id === self?.id;
  const place = isSelf
    ? "you"
    : `${away.toFixed(1)} tiles ${self ? windTo(self.position, position) : "away"}`;
  return [
    span(`${id}`.padStart(4), { dim: true }),
    span(` ${name}`, { bold: true }),
    span(`, ${kindOf(entity)}, at ${formatPlace(position)} (${place})`),
  ];
}

function kindOf({ kind, visual }: WorldEntity): string {
  const general = enumName(EntityKind, kind).toLowerCase();
  return visual === "" ? general : `${general} ${visual}`;
}

function entitiesData(view: WorldView): object[] {
  return [...view.entities.values()].map(entityData);
}

function entityData(entity: WorldEntity): object {
  const { id, name, kind, visual, position, velocity } = entity;
  return { id, name, kind: enumName(EntityKind, kind).toLowerCase(), visual, position, velocity };
}
