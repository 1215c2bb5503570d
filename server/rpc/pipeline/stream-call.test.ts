import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import {
  UpdateRequestSchema,
  WorldService,
} from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import {
  createMemoryLog,
  createTokenTable,
  TOKENS,
  worldWith,
} from "../../../test/support/rpc-server.ts";
import { DomainError } from "../../errors.ts";
import { createPipeline } from "./pipeline.ts";

test("a handler lets go when its signal aborts, although nobody asks it for more", async () => {
  let ended = 0;
  async function* update() {
    try {
      for (let tick = 1; ; tick++) yield { tick };
    } finally {
      ended++;
    }
  }
  const { logger, lines } = createMemoryLog();
  const pipeline = createPipeline({
    authenticator: createTokenTable(),
    services: [worldWith({ update })],
    logger,
  });
  pipeline.start();
  const controller = new AbortController();
  const context = {
    authorization: `Bearer ${TOKENS.player}`,
    peer: "192.0.2.1",
    requestId: "request-1",
    signal: controller.signal,
  };
  const request = create(UpdateRequestSchema);
  const messages = pipeline.serverStream(WorldService.method.update, request, context);
  const stream = messages[Symbol.asyncIterator]();
  await stream.next();
  expect(ended).toBe(0);
  controller.abort(new DomainError(ErrorReason.DRAINING, "the server is stopping"));
  await expect.poll(() => ended).toBe(1);
  // Who does ask is still told why.
  await expect(stream.next()).rejects.toMatchObject({ code: Code.Unavailable });
  expect(ended).toBe(1);
  expect(lines).toEqual([]);
});
