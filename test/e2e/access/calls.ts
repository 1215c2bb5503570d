import { expect, test } from "vitest";
import { ErrorReason, ErrorReasonSchema } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { RoleSchema } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import { callRows, CALLERS } from "../../../scripts/access-matrix.ts";
import { loadRuledTypes } from "../../../scripts/generated-files.ts";
import { callAny, nameOf } from "../../support/any-call.ts";
import type { Failure } from "../../support/player.ts";
import type { TestServer } from "../../support/server.ts";
import { enlist } from "./cast.ts";

/** Reasons with which somebody is kept out, whatever the request is. */
const KEPT_OUT: ReadonlySet<ErrorReason> = new Set([
  ErrorReason.LOGIN_REQUIRED,
  ErrorReason.TOKEN_INVALID,
  ErrorReason.SESSION_REPLACED,
  ErrorReason.ROLE_TOO_LOW,
  ErrorReason.TOO_MANY_CALLS,
]);

const { services } = await loadRuledTypes();

/** Who may make which call: each is made by everybody, and is let through or not as its `access` says. */
export function describeCallAccess(server: () => TestServer): void {
  for (const caller of CALLERS) {
    test(`as ${caller}`, async () => {
      const wrong: string[] = [];
      for (const { method, access, may } of callRows(services)) {
        // A session each, since some calls end it.
        const token = caller === "anonymous" ? "" : (await enlist(server(), caller)).token;
        const { failure } = await callAny(server().baseUrl, method, { token });
        if (may[caller]) {
          if (isLetIn(failure)) continue;
          wrong.push(`${nameOf(method)} is to let ${caller} in: ${said(failure)}`);
        } else {
          const reason =
            caller === "anonymous" ? ErrorReason.LOGIN_REQUIRED : ErrorReason.ROLE_TOO_LOW;
          const needs = caller === "anonymous" ? undefined : RoleSchema.value[access.role]?.name;
          if (failure?.reason === reason && failure.metadata["role"] === needs) continue;
          wrong.push(`${nameOf(method)} is to refuse ${caller}: ${said(failure)}`);
        }
      }
      expect(wrong).toEqual([]);
    });
  }
}

/** Whether a call came as far as its own rules: what it says then is meant, and not about who calls. */
function isLetIn(failure: Failure | undefined): boolean {
  if (failure === undefined) return true;
  return failure.reason !== ErrorReason.UNSPECIFIED && !KEPT_OUT.has(failure.reason);
}

function said(failure: Failure | undefined): string {
  return failure
    ? `${ErrorReasonSchema.value[failure.reason]?.name} ${failure.message}`
    : "it went well";
}
