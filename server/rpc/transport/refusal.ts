import type { Registry } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { Logger } from "../../logger.ts";
import type { PortRequest, PortResponse } from "./plain-answer.ts";
import type { WireProtocol } from "./short-form.ts";
import { createAnswerWriter } from "./short-writer.ts";

/** Answers a request, of which nothing may have been read, with an error in the protocol that it speaks. */
export type Refuse = (request: PortRequest, response: PortResponse, error: ConnectError) => void;

/** The registry is for the readable form of what error details hold. */
export function createRefusal(options: { registry: Registry; logger: Logger }): Refuse {
  const writer = createAnswerWriter(options);
  return (request, response, error) => {
    const { protocol, type } = spokenBy(request);
    writer.failure(protocol, response, error, type);
  };
}

/** The content types of protocols with envelopes; a form such as `+json` may stand behind. */
const ENVELOPED: readonly (readonly [string, WireProtocol])[] = [
  ["application/connect", "connect-stream"],
  ["application/grpc-web", "grpc-web"],
  ["application/grpc", "grpc"],
];

/** What a request speaks, and the content type of its answer if it is not the usual one. What is unknown is answered like a unary call of Connect: with an HTTP status and JSON. */
function spokenBy(request: PortRequest): { protocol: WireProtocol; type: string | undefined } {
  const sent = request.headers["content-type"] ?? "";
  const [, base = ""] = /^(application\/[a-z-]+)(?:\+(?:proto|json))?$/.exec(sent) ?? [];
  const protocol = ENVELOPED.find(([type]) => type === base)?.[1] ?? "connect-unary";
  const isPossible = protocol !== "grpc" || request.httpVersionMajor === 2;
  if (protocol === "connect-unary" || !isPossible)
    return { protocol: "connect-unary", type: undefined };
  return { protocol, type: sent };
}
