import { create } from "@bufbuild/protobuf";
import { type CallOptions, createClient } from "@connectrpc/connect";
import { createWritableIterable } from "@connectrpc/connect/protocol";
import { InputRequestSchema, WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { InputRequest, InputResponse } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { type Failure, failureOf, kindOf } from "./player.ts";
import { createTransport, type Protocol } from "./server.ts";

/** A move as a test writes it. */
export interface InputMove {
  readonly way: "offset" | "destination" | "direction";
  readonly x: number;
  readonly y: number;
  readonly sequence: number;
}

/** An open Input stream. */
export interface InputStream {
  /** Sends one message with these moves. */
  send(...moves: readonly InputMove[]): Promise<void>;
  /** Ends it and waits for what came of it. */
  finish(): Promise<InputResponse>;
  /** What came of it; rejects with how it failed. */
  readonly answer: Promise<InputResponse>;
  /** How it failed. */
  failure(): Promise<Failure>;
}

/** Opens one. gRPC and HTTP/2 unless told otherwise. */
export function openInput(
  baseUrl: string,
  token: string,
  options: CallOptions & { protocol?: Protocol; httpVersion?: "1.1" | "2" } = {},
): InputStream {
  const { protocol = "grpc", httpVersion = "2", ...callOptions } = options;
  const world = createClient(WorldService, createTransport(baseUrl, protocol, token, httpVersion));
  const requests = createWritableIterable<InputRequest>();
  const answer = world.input(requests, callOptions);
  answer.catch(() => {});
  return {
    answer,
    async send(...moves) {
      const message = create(InputRequestSchema, {
        moves: moves.map(({ way, x, y, sequence }) => ({
          kind: kindOf(way, { x, y }),
          sequence,
        })),
      });
      // Nobody takes it from a call that has ended.
      await Promise.race([requests.write(message), answer]).catch(() => {});
    },
    async finish() {
      requests.close();
      return await answer;
    },
    failure: () => failureOf(answer),
  };
}
