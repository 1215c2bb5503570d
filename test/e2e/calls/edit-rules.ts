import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import type { EditCommand } from "../../../gen/ts/realmwire/v1/map_pb.ts";
import { Role } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import { failureOf, freshName } from "../../support/player.ts";
import { command, putSignpost, setBarrier } from "../../support/values.ts";
import { mapOf } from "../../support/walking.ts";
import type { CallsServer } from "./context.ts";
import { edit, openStage } from "./stage.ts";

/** Edit: what it refuses, and who may. */
export function describeEditRules(server: () => CallsServer): void {
  const stage = () => openStage(server());

  test("[PY-10] a batch is all or nothing, and the problem names the command", async () => {
    const { builder, sees, map, places } = await stage();
    const [at] = places;
    if (!at) throw new Error("no room");
    const name = freshName("sign-");
    const bad: [EditCommand, string][] = [
      [putSignpost(freshName("x"), { x: -1, y: 0 }, ""), "put_object.position"],
      [command({ case: "removeObject", value: "no-such-thing" }), "remove_object"],
      [setBarrier(map.width, 0, true), "set_barriers.region"],
      [
        command({
          case: "putObject",
          value: { name: "x", kind: "dragon", position: { ...at, z: 0 } },
        }),
        "put_object.kind",
      ],
      [
        command({
          case: "setTiles",
          value: { layer: "no layer", region: { x: 0, y: 0, width: 1, height: 1 }, tiles: [0] },
        }),
        "set_tiles.layer",
      ],
      [
        command({
          case: "putPortal",
          value: {
            name: "x",
            region: { x: 0, y: 0, width: 1, height: 1 },
            targetZone: "atlantis",
          },
        }),
        "put_portal.target_zone",
      ],
      [command({ case: "removeSpawn", value: "start" }), "remove_spawn"],
    ];
    for (const [broken, field] of bad) {
      const failure = await failureOf(
        edit(builder, putSignpost(name, at, "never"), setBarrier(1, 1, true), broken),
      );
      expect(failure, field).toMatchObject({
        code: Code.FailedPrecondition,
        reason: ErrorReason.EDIT_REFUSED,
      });
      expect(failure.fields).toEqual([`commands[2].${field}`]);
    }
    const after = await mapOf(builder);
    expect(after).toEqual(map);
    await sees.ticks(2);
    expect(sees.view.named(name)).toBeUndefined();
    expect(sees.flags.filter(({ case: kind }) => kind === "map")).toEqual([]);
    builder.close();
  });

  test("[PY-10] a dry run answers as if, and changes nothing", async () => {
    const { builder, sees, map, places } = await stage();
    const [at] = places;
    const name = freshName("sign-");
    const commands = [putSignpost(name, at ?? { x: 0, y: 0 }, "maybe")];
    const answer = await builder.world.edit({ commands, dryRun: true });
    expect(answer.revision).toBe(map.revision + 1);
    expect(answer.region).toMatchObject({ width: 1, height: 1 });
    expect(answer.flags).toEqual([]);
    const refused = builder.world.edit({ commands: [setBarrier(-1, 0, true)], dryRun: true });
    expect((await failureOf(refused)).reason).toBe(ErrorReason.EDIT_REFUSED);
    await sees.ticks(2);
    expect(sees.view.named(name)).toBeUndefined();
    expect((await mapOf(builder)).revision).toBe(map.revision);
    builder.close();
  });

  test("[PY-10] of two who expect the same revision, one is told the present one", async () => {
    const { builder, map } = await stage();
    const other = await server().as(Role.BUILDER);
    const order = {
      zone: "town",
      commands: [setBarrier(0, 0, false)],
      expectedRevision: map.revision,
    };
    const both = await Promise.allSettled([builder.world.edit(order), other.world.edit(order)]);
    const failed = both.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    expect(failed).toHaveLength(1);
    expect(await failureOf(Promise.reject(failed[0]))).toMatchObject({
      code: Code.Aborted,
      reason: ErrorReason.REVISION_CONFLICT,
      metadata: { revision: String(map.revision + 1) },
    });
    builder.close();
  });

  test("[PY-10] what cannot be undone, and requests that are no edit", async () => {
    const { builder } = await stage();
    const undo = await failureOf(builder.world.edit({ undoRevision: 1_000_000 }));
    expect(undo).toMatchObject({
      reason: ErrorReason.EDIT_REFUSED,
      fields: ["undo_revision"],
    });
    for (const request of [
      {},
      { commands: [setBarrier(0, 0, true)], undoRevision: 2 },
      { commands: [command({ case: undefined })] },
      { commands: [setBarrier(0, 0, true)], zone: "z".repeat(129) },
    ]) {
      expect((await failureOf(builder.world.edit(request))).reason).toBe(
        ErrorReason.INVALID_FIELDS,
      );
    }
    const elsewhere = builder.world.edit({
      zone: "atlantis",
      commands: [setBarrier(0, 0, true)],
    });
    expect(await failureOf(elsewhere)).toMatchObject({
      reason: ErrorReason.ZONE_UNKNOWN,
      metadata: { zone: "atlantis" },
    });
    builder.close();
  });

  test("[PY-14] a player may not, a builder and an admin may", async () => {
    const commands = [setBarrier(0, 0, false)];
    const player = await server().player("Edi");
    expect(await failureOf(player.world.edit({ commands }))).toMatchObject({
      code: Code.PermissionDenied,
      reason: ErrorReason.ROLE_TOO_LOW,
      metadata: { role: "ROLE_BUILDER" },
    });
    for (const role of [Role.BUILDER, Role.ADMIN]) {
      await (await server().as(role)).world.edit({ commands });
    }
  });
}
