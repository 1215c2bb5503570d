import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ErrorDetailSchema } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { RealmwireError } from "./errors.ts";
import { DEFAULT_RECONNECT_POLICY, isPermanent, reconnectDelayMs } from "./reconnect.ts";

const lost = new RealmwireError(Code.Unavailable, "lost");

test("pauses grow up to their bound and are spread over its upper half", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (n, chance) => {
        const bound = Math.min(10_000, 250 * 2 ** (n - 1));
        const delay = reconnectDelayMs(n, lost, DEFAULT_RECONNECT_POLICY, () => chance);
        expect(delay).toBeGreaterThanOrEqual(bound / 2);
        expect(delay).toBeLessThan(bound);
      },
    ),
  );
});

test("the server's own wish is the least pause", () => {
  const detail = create(ErrorDetailSchema, { retryDelay: durationFromMs(3_000) });
  const asked = new RealmwireError(Code.Unavailable, "draining", detail);
  expect(reconnectDelayMs(1, asked, DEFAULT_RECONNECT_POLICY, () => 0.5)).toBe(3_000);
});

test("errors that come again are told from those that pass", () => {
  const permanent = (code: Code): boolean => isPermanent(new RealmwireError(code, ""));
  const passing = [Code.Unavailable, Code.Unknown, Code.Internal, Code.Aborted];
  expect(passing.filter(permanent)).toEqual([]);
  expect([Code.ResourceExhausted, Code.DeadlineExceeded, Code.DataLoss].filter(permanent)).toEqual(
    [],
  );
  const lasting = [Code.Unauthenticated, Code.PermissionDenied, Code.InvalidArgument];
  expect(lasting.filter((code) => !permanent(code))).toEqual([]);
  expect(permanent(Code.FailedPrecondition) && permanent(Code.Unimplemented)).toBe(true);
});
