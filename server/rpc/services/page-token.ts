import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { DomainError } from "../../errors.ts";

/** The opaque token of a page that begins behind `after`. `list` keeps one list's tokens apart from another's. */
export function writePageToken(list: string, after: string): string {
  return Buffer.from(`${list}:${after}`).toString("base64url");
}

/** What a page begins behind. Throws `INVALID_FIELDS` for a token that is not one of this list. */
export function readPageToken(list: string, token: string): string {
  const text = Buffer.from(token, "base64url").toString();
  const after = text.slice(list.length + 1);
  // Decoding passes over what it does not know, so only a token that comes out the same is one of ours.
  if (text.startsWith(`${list}:`) && after !== "" && writePageToken(list, after) === token)
    return after;
  throw new DomainError(ErrorReason.INVALID_FIELDS, "the page token is broken", {
    violations: [
      { field: "page_token", description: "must be the `next_page_token` of the page before" },
    ],
  });
}
