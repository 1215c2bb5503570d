import { expect, test } from "vitest";
import { Health } from "../gen/ts/grpc/health/v1/health_pb.ts";
import { file_meadow_v1_components } from "../gen/ts/meadow/v1/components_pb.ts";
import { ServerReflection } from "../gen/ts/grpc/reflection/v1/reflection_pb.ts";
import { file_realmwire_v1_entity, EntitySchema } from "../gen/ts/realmwire/v1/entity_pb.ts";
import { WorldService } from "../gen/ts/realmwire/v1/world_service_pb.ts";
import { checkProtos, findProblems } from "./check-protos.ts";
import { componentsOf } from "./generated-files.ts";

test("all that is generated keeps the rules", async () => {
  expect(await checkProtos()).toEqual({ kind: "passed" });
});

test("a game's components file holds components only; elsewhere they are known by name", () => {
  const names = (file: Parameters<typeof componentsOf>[0]) =>
    componentsOf(file).map((message) => message.typeName);
  expect(names(file_meadow_v1_components)).toContain("meadow.v1.Purse");
  expect(names(file_realmwire_v1_entity)).toEqual(["realmwire.v1.Body", "realmwire.v1.Presence"]);
});

test("what lacks its option is named", () => {
  // The infrastructure's services are let through, so one is dressed up as a game's.
  const bare = { ...Health, typeName: "game.v1.Bare" } as typeof Health;
  const problems = findProblems([WorldService, bare, ServerReflection], [EntitySchema]);
  expect(problems).toHaveLength(2);
  expect(problems[0]).toMatch(/Health\.\w+ has no option \(realmwire\.v1\.access\)/);
  expect(problems[1]).toMatch(
    /realmwire\.v1\.Entity\.id has no option \(realmwire\.v1\.attribute\)/,
  );
});
