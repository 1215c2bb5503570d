import type { BlockList } from "node:net";
import type { ConnectError } from "@connectrpc/connect";
import { ErrorDetailSchema, ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { isListed, limitKeyOf } from "../../addresses.ts";
import { DomainError } from "../../errors.ts";
import { createFailureLimit } from "../../failures.ts";
import { toConnectError } from "../pipeline/error-mapping.ts";
import type { PortRequest, PortResponse } from "./plain-answer.ts";

/** Broken requests that one address may send a minute, and as many at once. */
export const BROKEN_REQUESTS_PER_MINUTE = 600;
/** How long a client may take to close its connection after it sent too many broken requests, in milliseconds. */
export const CUT_OFF_TIMEOUT_MS = 2_000;

/** What no client sends that means well, but for a mistake. */
const BROKEN: ReadonlySet<ErrorReason> = new Set([
  ErrorReason.MALFORMED,
  ErrorReason.MESSAGE_TOO_LARGE,
  ErrorReason.UNSUPPORTED,
  ErrorReason.REQUEST_TOO_SLOW,
]);

/** A request that is about to be answered with an error. */
export interface FailedRequest {
  readonly request: PortRequest;
  readonly response: PortResponse;
  readonly peer: string;
}

/**
 * Counts requests that are broken by their address, and answers the error that each is to be answered with: its own, or `TOO_MANY_FAILURES` when
 * there were too many, behind which the connection is closed. Good requests are not counted and never refused, whoever else is
 * at their address; nor is the connection of a proxy ever closed, which others use too.
 */
export type RequestJudge = (error: ConnectError, failed: FailedRequest) => ConnectError;

/** No address has sent anything broken yet. */
export function createRequestJudge(
  options: {
    /** Default: {@link BROKEN_REQUESTS_PER_MINUTE}. */
    readonly perMinute?: number | undefined;
    /** Proxies, whose connections others use too. Default: none. */
    readonly trustedProxies?: BlockList | undefined;
  } = {},
): RequestJudge {
  const { perMinute = BROKEN_REQUESTS_PER_MINUTE, trustedProxies } = options;
  const limit = createFailureLimit({ what: "requests", perMinute });
  return (error, { request, response, peer }) => {
    const [detail] = error.findDetails(ErrorDetailSchema);
    if (detail === undefined || !BROKEN.has(detail.reason)) return error;
    try {
      limit.begin(limitKeyOf(peer));
      return error;
    } catch (refusal) {
      const isProxy =
        trustedProxies !== undefined &&
        isListed(trustedProxies, request.socket.remoteAddress ?? "");
      if (!isProxy) closeBehind(response);
      return refusal instanceof DomainError ? toConnectError(refusal) : error;
    }
  };
}

/** Closes the connection behind an answer. */
export function closeBehind(response: PortResponse): void {
  if ("stream" in response) {
    const { stream } = response;
    const { session } = stream;
    stream.once("close", () => {
      if (session === undefined || session.destroyed) return;
      // Without a code of HTTP/2's for what is wrong: clients forget answers that they did not read yet when they are told one.
      session.close();
      const timer = setTimeout(() => session.destroy(), CUT_OFF_TIMEOUT_MS);
      session.once("close", () => clearTimeout(timer));
    });
    return;
  }
  if (!response.headersSent) response.setHeader("connection", "close");
  const { socket } = response;
  response.once("finish", () => socket?.end());
}
