// The world served by grpc-js, with messages by Protobuf-ES.
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from "@grpc/grpc-js";
import {
  MoveRequestSchema,
  MoveResponseSchema,
  UpdateRequestSchema,
  UpdateResponseSchema,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type {
  MoveRequest,
  MoveResponse,
  UpdateRequest,
  UpdateResponse,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { saysSomething } from "../wire/update-bytes.ts";
import { createPlainWorld } from "../world/plain-world.ts";
import { createScenario } from "../world/scenario.ts";
import { announce, plainCredentials, readSettings } from "./child.ts";
import { answerMove } from "./plain-moves.ts";
import { startClock } from "./plain-clock.ts";
import { createUpdate } from "./update-message.ts";

type Stream = ServerWritableStream<UpdateRequest, UpdateResponse>;

const settings = readSettings();
const world = createPlainWorld(createScenario(settings).homes);
const streams = new Map<number, { readonly call: Stream; isFirst: boolean }>();

const definition: ServiceDefinition = {
  move: {
    path: "/realmwire.v1.WorldService/Move",
    requestStream: false,
    responseStream: false,
    requestSerialize: (message: MoveRequest) => Buffer.from(toBinary(MoveRequestSchema, message)),
    requestDeserialize: (bytes: Buffer) => fromBinary(MoveRequestSchema, bytes),
    responseSerialize: (message: MoveResponse) =>
      Buffer.from(toBinary(MoveResponseSchema, message)),
    responseDeserialize: (bytes: Buffer) => fromBinary(MoveResponseSchema, bytes),
  },
  update: {
    path: "/realmwire.v1.WorldService/Update",
    requestStream: false,
    responseStream: true,
    requestSerialize: (message: UpdateRequest) =>
      Buffer.from(toBinary(UpdateRequestSchema, message)),
    requestDeserialize: (bytes: Buffer) => fromBinary(UpdateRequestSchema, bytes),
    responseSerialize: (message: UpdateResponse) =>
      Buffer.from(toBinary(UpdateResponseSchema, message)),
    responseDeserialize: (bytes: Buffer) => fromBinary(UpdateResponseSchema, bytes),
  },
};

const implementation: UntypedServiceImplementation = {
  move(call: ServerUnaryCall<MoveRequest, MoveResponse>, callback: sendUnaryData<MoveResponse>) {
    callback(null, answerMove(world, playerOf(call), call.request));
  },
  update(call: Stream) {
    const player = playerOf(call);
    world.join(player);
    streams.set(player, { call, isFirst: true });
    call.on("cancelled", () => {
      streams.delete(player);
      world.leave(player);
    });
  },
};

function playerOf(call: { metadata: ServerUnaryCall<unknown, unknown>["metadata"] }): number {
  const [authorization] = call.metadata.get("authorization");
  return Number(String(authorization).slice("Bearer ".length));
}

const server = new Server();
server.addService(definition, implementation);
const port = await new Promise<number>((resolve, reject) => {
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
    if (error) reject(error);
    else resolve(bound);
  });
});
const stopClock = startClock(() => {
  world.step();
  for (const [player, stream] of streams) {
    const sight = world.look(player);
    if (!saysSomething(sight)) continue;
    stream.call.write(createUpdate(world, player, sight, stream.isFirst));
    stream.isFirst = false;
  }
});
announce({ port, credentials: plainCredentials(settings.players) }, async () => {
  stopClock();
  server.forceShutdown();
});
