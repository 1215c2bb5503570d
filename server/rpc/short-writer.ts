import type { ServerResponse } from "node:http";
import type { Registry } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import {
  codeToHttpStatus,
  endStreamFlag,
  endStreamToJson,
  errorToJsonBytes,
} from "@connectrpc/connect/protocol-connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import { ENVELOPE_BYTES } from "./short-form.ts";
import type { PlainForm } from "./short-form.ts";
import type { PortResponse } from "./plain-answer.ts";

/** Writes the answer of one call in its protocol. */
export interface AnswerWriter {
  /** Answers a unary call. */
  whole(message: Uint8Array): void;
  /** Writes one message of a stream; false when the client does not take it at present. */
  message(message: Uint8Array): boolean;
  /** Ends a stream well. */
  end(): void;
  /** Ends the call with an error, whatever was written before. */
  failure(error: ConnectError): void;
}

/** The writer for a call's protocol. */
export function createWriter(
  form: PlainForm,
  target: PortResponse,
  registry: Registry,
): AnswerWriter {
  // Both kinds take the same calls, but the types of their overloads do not meet.
  const response = target as ServerResponse;
  switch (form.protocol) {
    case "connect-unary":
      return connectUnary(form, response, registry);
    case "connect-stream":
      return enveloped(form, response, (error) => {
        const json = endStreamToJson(new Headers(), error, { registry });
        response.end(envelope(endStreamFlag, new TextEncoder().encode(JSON.stringify(json))));
      });
    case "grpc-web":
      return enveloped(form, response, (error) => {
        const trailer = setTrailerStatus(new Headers(), error);
        response.end(envelope(trailerFlag, trailerSerialize(trailer)));
      });
    case "grpc":
      return enveloped(form, response, (error) => {
        response.addTrailers(trailersOf(error));
        response.end();
      });
  }
}

const GRPC_OK = { "grpc-status": "0" };

function trailersOf(error: ConnectError | undefined): Record<string, string> {
  return error ? Object.fromEntries(setTrailerStatus(new Headers(), error)) : GRPC_OK;
}

function connectUnary(
  { contentType }: PlainForm,
  response: ServerResponse,
  registry: Registry,
): AnswerWriter {
  const whole = (bytes: Uint8Array) => {
    if (response.destroyed) return;
    response.writeHead(200, { "content-type": contentType, "content-length": bytes.length });
    response.end(bytes);
  };
  return {
    whole,
    message: () => true,
    end: () => {},
    failure(error) {
      if (response.destroyed) return;
      const body = errorToJsonBytes(error, { registry });
      response.writeHead(codeToHttpStatus(error.code), {
        "content-type": "application/json",
        "content-length": body.length,
      });
      response.end(body);
    },
  };
}

function enveloped(
  { contentType }: PlainForm,
  response: ServerResponse,
  finish: (error?: ConnectError) => void,
): AnswerWriter {
  const begin = () => {
    if (!response.headersSent) response.writeHead(200, { "content-type": contentType });
  };
  const end = (error?: ConnectError) => {
    if (response.destroyed || response.writableEnded) return;
    begin();
    finish(error);
  };
  const message = (bytes: Uint8Array) => {
    if (response.destroyed) return true;
    begin();
    return response.write(envelope(0, bytes));
  };
  return {
    whole(bytes) {
      message(bytes);
      end();
    },
    message,
    end: () => end(),
    failure: end,
  };
}

function envelope(flags: number, data: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(ENVELOPE_BYTES + data.length);
  bytes[0] = flags;
  bytes.writeUInt32BE(data.length, 1);
  bytes.set(data, ENVELOPE_BYTES);
  return bytes;
}
