import { create, fromJson, toJsonString } from "@bufbuild/protobuf";
import type { JsonObject } from "@bufbuild/protobuf";
import { InputSchema, OutcomeSchema } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import type { Input, Outcome } from "../../gen/ts/realmwire/internal/v1/input_pb.ts";
import { ZoneMapSchema } from "../../gen/ts/realmwire/v1/map_pb.ts";
import type { UpdateResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createViewer } from "../../server/sim/viewer.ts";
import { WireWriter } from "../../server/sim/wire-writer.ts";
import type { Frame, Zone } from "../../server/sim/zone.ts";
import { randomKinds } from "../support/random-world.ts";
import { createTestZone, drawMap, testTypes } from "../support/sim.ts";
import { createViewClient, plainExtras } from "../support/view-client.ts";

/** A script of inputs and what came of it, as it stands in a file. */
export interface Scenario {
  /** What it shows. */
  readonly about: string;
  /** The map as it is drawn: `#` is a barrier, `@` the start. */
  readonly rows: readonly string[];
  /** What else is on the map, as JSON of a `ZoneMap`. */
  readonly map?: JsonObject;
  readonly seed: string;
  /** Inputs as JSON of `realmwire.internal.v1.Input`, each after so many ticks, in order. */
  readonly script: readonly { readonly tick: number; readonly input: JsonObject }[];
  readonly ticks: number;
  /** Whose view is written down, from when it joins. */
  readonly watch: string;
  /** How far it sees, in tiles. */
  readonly radius: number;
  /** A hash is written down every so many ticks. */
  readonly hashEvery: number;
  readonly recorded: Recorded;
}

/** What came of a scenario. `npx vitest run test/scenarios` with `UPDATE_SCENARIOS=1` writes it anew. */
export interface Recorded {
  readonly transcript: readonly string[];
  /** Hashes of the state by tick. */
  readonly hashes: Readonly<Record<string, number>>;
}

/** Plays a scenario from its beginning. */
export function play(scenario: Scenario): Recorded {
  const { zone } = createTestZone(mapOf(scenario), { kinds: randomKinds, seed: scenario.seed });
  const transcript: string[] = [];
  const hashes: Record<string, number> = {};
  const note = (line: string) => transcript.push(`${zone.tick} ${line}`);
  const watcher = createWatcher(zone, scenario, note);
  let next = 0;
  for (;;) {
    for (; scenario.script[next]?.tick === zone.tick; next++) {
      const input = fromJson(InputSchema, scenario.script[next]?.input ?? {}, {
        registry: testTypes.registry,
      });
      note(`${nameOf(input)}${input.kind.case} → ${describeOutcome(zone.apply(input))}`);
    }
    if (zone.tick >= scenario.ticks) break;
    noteFrame(zone.step(), note);
    watcher();
    if (zone.tick % scenario.hashEvery === 0) hashes[zone.tick] = zone.hash();
  }
  if (next < scenario.script.length) throw new Error(`input ${next} is out of order or too late`);
  return { transcript, hashes };
}

function mapOf({ rows, map = {} }: Scenario) {
  const { spawns, objects, portals } = fromJson(ZoneMapSchema, map, {
    registry: testTypes.registry,
  });
  return create(ZoneMapSchema, drawMap(rows, { spawns, objects, portals }));
}

function nameOf({ kind }: Input): string {
  const { value } = kind;
  if (!value) return "";
  if ("name" in value) return `${value.name} `;
  return "character" in value ? `${value.character?.name} ` : "";
}

function describeOutcome({ kind }: Outcome): string {
  // A character that leaves comes back whole: only that it did is of interest here.
  if (kind.case === "left") return "left";
  const outcome = create(OutcomeSchema, { kind });
  return toJsonString(OutcomeSchema, outcome, { registry: testTypes.registry });
}

function noteFrame({ personal, transfers, failures }: Frame, note: (line: string) => void): void {
  for (const { character, event } of personal) {
    if (event.kind.case === "chat")
      note(`${character} hears ${event.kind.value.from}: ${event.kind.value.text}`);
  }
  for (const { character, zone, spawn } of transfers) {
    note(`${character?.name} goes to ${zone} at "${spawn}"`);
  }
  for (const { task, error } of failures) note(`${task} failed: ${String(error)}`);
}

/** Notes what the watched character is sent, from when it is there. */
function createWatcher(
  zone: Zone,
  { watch, radius }: Scenario,
  note: (line: string) => void,
): () => void {
  const writer = new WireWriter();
  let viewed: { id: number; next: () => string[] } | undefined;
  return () => {
    const id = zone.brief(watch)?.id;
    if (id === undefined) return;
    if (viewed?.id !== id) {
      const viewer = createViewer({
        source: zone,
        key: "k",
        selfId: id,
        character: watch,
        radius,
        writer,
      });
      const client = createViewClient();
      const next = () => {
        const names = new Map([...client.seen].map(([seenId, { name }]) => [seenId, name]));
        const bytes = viewer.message(plainExtras);
        return bytes ? describeUpdate(client.apply(bytes), names) : [];
      };
      viewed = { id, next };
    }
    const seen = viewed.next();
    if (seen.length > 0) note(`${watch} sees ${seen.join("; ")}`);
  };
}

function describeUpdate(update: UpdateResponse, names: Map<number, string>): string[] {
  const tiles = (units: number) => (units / 256).toFixed(2);
  const parts: string[] = update.scene ? ["a new scene"] : [];
  for (const { id, name, position } of update.entities) {
    names.set(id, name);
    parts.push(`${name} at ${position?.x.toFixed(2)},${position?.y.toFixed(2)}`);
  }
  for (const [verb, motion] of [
    ["moved to", update.moved],
    ["turned to", update.turned],
  ] as const) {
    motion?.ids.forEach((id, i) => {
      const x = tiles(motion.originX + (motion.xs[i] ?? 0));
      const y = tiles(motion.originY + (motion.ys[i] ?? 0));
      parts.push(`${names.get(id)} ${verb} ${x},${y}`);
    });
  }
  for (const { id, components } of update.changed) {
    const types = components.map(({ typeUrl }) => typeUrl.replace(/^.*\./, ""));
    parts.push(`${names.get(id)} changed in ${types.join(", ")}`);
  }
  for (const id of update.left) parts.push(`${names.get(id)} no more`);
  return parts;
}

/** A scenario from the text of its file. */
export function parseScenario(text: string): Scenario {
  return JSON.parse(text) as Scenario;
}
