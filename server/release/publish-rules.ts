import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../errors.ts";
import { compareSemver, isSemver } from "./semver.ts";

/** A platform is the name of a folder; it has no separators and does not begin with a dot. */
const PLATFORM_FORM = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** A release that is to become current. */
export interface PublishOptions {
  readonly platform: string;
  /** A semantic version. */
  readonly version: string;
  /** The oldest release that still works. Empty or left out: as before, or `version` for a new platform. */
  readonly oldestWorking?: string;
}

/** Checks the names of a release that is to be published. Throws `INVALID_FIELDS`. */
export function requirePublishable(request: PublishOptions): void {
  const { platform, version, oldestWorking } = request;
  const violations = [];
  if (!PLATFORM_FORM.test(platform)) {
    violations.push({
      field: "platform",
      description: "must be letters, digits, `_`, `-` and `.`",
    });
  }
  if (!isSemver(version)) {
    violations.push({ field: "version", description: "must be a semantic version" });
  }
  if (oldestWorking && !isSemver(oldestWorking)) {
    violations.push({ field: "oldest_working", description: "must be a semantic version" });
  } else if (oldestWorking && isSemver(version) && compareSemver(oldestWorking, version) > 0) {
    violations.push({ field: "oldest_working", description: "must not be newer than `version`" });
  }
  if (violations.length > 0) {
    throw new DomainError(ErrorReason.INVALID_FIELDS, "the release cannot be named so", {
      violations,
    });
  }
}

/** The oldest release that works with a new one when nobody says: what worked before, unless the new release is older than that. */
export function oldestWorkingOf(before: string | undefined, version: string): string {
  return before && isSemver(before) && compareSemver(before, version) < 0 ? before : version;
}
