import type { OutgoingHttpHeaders } from "node:http";
import type { Registry } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { mergeNonProtocolHeaders } from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  endStreamFlag,
  endStreamToJson,
  errorToJsonBytes,
} from "@connectrpc/connect/protocol-connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { ENVELOPE_BYTES, envelope, writeEnvelopeHead } from "./envelope.ts";
import type { Logger } from "../../logger.ts";
import type { PortResponse } from "./plain-answer.ts";
import type { WireProtocol } from "./short-form.ts";
import { DirectAnswer, type WholeResponse } from "./direct-answer.ts";
import { type Frame, sendLast, sendMessage, sendWhole } from "./short-outlet.ts";

/** Writes answers in each protocol. It never throws: what is written to a response that is closed or ended is dropped, and one that cannot be written is cut off. */
export interface AnswerWriter {
  /** Answers a unary call. */
  whole(protocol: WireProtocol, response: WholeResponse, message: Uint8Array): void;
  /** Writes one message of a stream; false when the client does not take it at present, or never will. */
  message(protocol: WireProtocol, response: PortResponse, message: Uint8Array): boolean;
  /** Ends a stream well. */
  end(protocol: WireProtocol, response: PortResponse): void;
  /** Ends a call with an error, whatever was written before. `type` is the content type of an answer with envelopes, if not the usual one. */
  failure(
    protocol: WireProtocol,
    response: WholeResponse,
    error: ConnectError,
    type?: string,
  ): void;
}

/** What ends an answer: bytes of its body, and trailers. */
interface Ending {
  readonly bytes: Uint8Array;
  readonly trailers: OutgoingHttpHeaders | undefined;
}

const NOTHING = new Uint8Array(0);

const FRAMES: Readonly<Record<WireProtocol, Frame>> = {
  "connect-unary": frameOf("application/proto", undefined),
  "connect-stream": frameOf("application/connect+proto", undefined),
  grpc: frameOf("application/grpc+proto", { "grpc-status": "0" }),
  "grpc-web": frameOf("application/grpc-web+proto", undefined),
};

const GOOD_ENDINGS: Readonly<Record<WireProtocol, Ending>> = {
  "connect-unary": { bytes: NOTHING, trailers: undefined },
  "connect-stream": { bytes: envelope(endStreamFlag, Buffer.from("{}")), trailers: undefined },
  grpc: { bytes: NOTHING, trailers: FRAMES.grpc.trailers },
  "grpc-web": {
    bytes: envelope(trailerFlag, trailerSerialize(setTrailerStatus(new Headers(), undefined))),
    trailers: undefined,
  },
};

/** A writer. The registry is for the readable form of what error details hold. */
export function createAnswerWriter(options: { registry: Registry; logger: Logger }): AnswerWriter {
  const { registry, logger } = options;

  function badEnding(protocol: WireProtocol, error: ConnectError): Ending {
    switch (protocol) {
      case "connect-unary":
        return { bytes: errorToJsonBytes(error, { registry }), trailers: undefined };
      case "connect-stream": {
        const json = endStreamToJson(new Headers(), error, { registry });
        const bytes = envelope(endStreamFlag, Buffer.from(JSON.stringify(json)));
        return { bytes, trailers: undefined };
      }
      case "grpc":
        return { bytes: NOTHING, trailers: plainHeaders(setTrailerStatus(new Headers(), error)) };
      case "grpc-web": {
        const status = setTrailerStatus(new Headers({ "grpc-status": "0" }), error);
        return { bytes: envelope(trailerFlag, trailerSerialize(status)), trailers: undefined };
      }
    }
  }

  function failure(
    protocol: WireProtocol,
    response: WholeResponse,
    error: ConnectError,
    type: string | undefined,
  ): void {
    const { bytes, trailers } = badEnding(protocol, error);
    if (response.headersSent && !(response instanceof DirectAnswer)) {
      sendLast(response, bytes, trailers);
    } else sendWhole(response, failedFrame(protocol, error, trailers, type), bytes);
  }

  function breakOff(response: WholeResponse, error: unknown): void {
    logger.error({ err: error }, "an answer broke off");
    response.destroy();
  }

  return {
    whole(protocol, response, message) {
      try {
        const body = protocol === "connect-unary" ? message : bodyOf(protocol, message);
        sendWhole(response, FRAMES[protocol], body);
      } catch (error) {
        breakOff(response, error);
      }
    },
    message(protocol, response, message) {
      try {
        return sendMessage(response, FRAMES[protocol], message);
      } catch (error) {
        breakOff(response, error);
        return false;
      }
    },
    end(protocol, response) {
      try {
        const { bytes, trailers } = GOOD_ENDINGS[protocol];
        if (response.headersSent) sendLast(response, bytes, trailers);
        else sendWhole(response, FRAMES[protocol], bytes);
      } catch (error) {
        breakOff(response, error);
      }
    },
    failure(protocol, response, error, type) {
      try {
        failure(protocol, response, error, type);
      } catch (fault) {
        breakOff(response, fault);
      }
    },
  };
}

function frameOf(type: string, trailers: OutgoingHttpHeaders | undefined): Frame {
  return { status: 200, headers: { "content-type": type }, trailers };
}

function failedFrame(
  protocol: WireProtocol,
  error: ConnectError,
  trailers: OutgoingHttpHeaders | undefined,
  type: string | undefined,
): Frame {
  if (protocol !== "connect-unary") {
    const { status, headers } = FRAMES[protocol];
    return { status, headers: type === undefined ? headers : { "content-type": type }, trailers };
  }
  const headers = new Headers({ "content-type": "application/json" });
  mergeNonProtocolHeaders(headers, error.metadata);
  return {
    status: codeToHttpStatus(error.code),
    headers: plainHeaders(headers),
    trailers: undefined,
  };
}

function plainHeaders(headers: Headers): OutgoingHttpHeaders {
  const cookies = headers.getSetCookie();
  return { ...Object.fromEntries(headers), ...(cookies.length > 1 && { "set-cookie": cookies }) };
}

/** One enveloped message with the end behind it. */
function bodyOf(protocol: WireProtocol, message: Uint8Array): Uint8Array {
  const end = GOOD_ENDINGS[protocol].bytes;
  const bytes = Buffer.allocUnsafe(ENVELOPE_BYTES + message.length + end.length);
  writeEnvelopeHead(bytes, 0, 0, message.length);
  bytes.set(message, ENVELOPE_BYTES);
  bytes.set(end, ENVELOPE_BYTES + message.length);
  return bytes;
}
