import { expect, test } from "vitest";
import { Health } from "../gen/ts/grpc/health/v1/health_pb.ts";
import { PurseSchema } from "../gen/ts/meadow/v1/components_pb.ts";
import { EntitySchema, PresenceSchema } from "../gen/ts/realmwire/v1/entity_pb.ts";
import { WorldService } from "../gen/ts/realmwire/v1/world_service_pb.ts";
import { accessTable, checkAccessTable } from "./access-table.ts";
import { loadRuledTypes } from "./generated-files.ts";

test("docs/access.md is what the protos give", async () => {
  expect(await checkAccessTable()).toEqual({ kind: "passed" });
});

test("it has a line for every call and every attribute that is generated", async () => {
  const types = await loadRuledTypes();
  const lines = accessTable(types).split("\n");
  const expected =
    types.services.reduce((sum, { methods }) => sum + methods.length, 0) +
    types.components.reduce((sum, { fields }) => sum + fields.length, 0);
  expect(lines.filter((line) => line.startsWith("| `"))).toHaveLength(expected);
  expect(expected).toBeGreaterThan(40);
});

test("a line says who may, by the options alone", () => {
  const text = accessTable({ services: [WorldService], components: [PurseSchema, PresenceSchema] });
  expect(text).toContain(
    "| `Edit` | – | – | yes | yes | 20 a second, 100 at once for each session |",
  );
  expect(text).toContain(
    "| `Version` | yes | yes | yes | yes | 50 a second, 200 at once for each address |",
  );
  expect(text).toContain("for each session, shared with Move, each of `moves` counts |");
  expect(text).toContain("| `gold` | – | – | sees | sets | sees, sets | yes |");
  expect(text).toContain("| `luck` | – | – | – | – | sees, sets | yes |");
  expect(text).toContain("| `online` | sees | sees | sees | sees | sees, sets | – |");
});

test("what has no rule has no table", () => {
  const bare = { ...Health, typeName: "game.v1.Bare" } as typeof Health;
  expect(() => accessTable({ services: [bare], components: [] })).toThrow(/has no option/);
  expect(() => accessTable({ services: [], components: [EntitySchema] })).toThrow(
    /realmwire\.v1\.Entity\.id has no option/,
  );
});
