import { createClient, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { MoveRefusal, WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { MoveRequest } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { createMover } from "./move.ts";

test("each way of moving is one call, counted by the mover", async () => {
  const requests: MoveRequest[] = [];
  const transport = createRouterTransport(({ service }) =>
    service(WorldService, {
      move(request) {
        requests.push(request);
        return request.kind.case === "destination"
          ? { moved: false, refusal: MoveRefusal.NO_PATH, sequence: request.sequence }
          : { moved: true, position: { x: 3, y: 4 }, sequence: request.sequence };
      },
    }),
  );
  const move = createMover(createClient(WorldService, transport));
  expect(await move.by({ x: 1, y: 0 })).toMatchObject({
    moved: true,
    position: { x: 3, y: 4 },
    sequence: 1,
  });
  const refused = await move.to({ x: 9, y: 9, z: 1 });
  expect(refused).toMatchObject({ moved: false, refusal: MoveRefusal.NO_PATH });
  expect(refused.position).toMatchObject({ x: 0, y: 0, z: 0 });
  await move.direction({ x: 0, y: -1 });
  await move.stop();
  expect(
    requests.map(({ kind, sequence }) => [kind.case, kind.value?.x, kind.value?.y, sequence]),
  ).toEqual([
    ["offset", 1, 0, 1],
    ["destination", 9, 9, 2],
    ["direction", 0, -1, 3],
    ["direction", 0, 0, 4],
  ]);
});
