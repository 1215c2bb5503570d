import fc from "fast-check";
import { expect, test } from "vitest";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { readPageToken, writePageToken } from "./page-token.ts";

const refused = expect.objectContaining({
  reason: ErrorReason.INVALID_FIELDS,
  details: { violations: [expect.objectContaining({ field: "page_token" })] },
});

function reasonOf(list: string, token: string): unknown {
  try {
    return readPageToken(list, token);
  } catch (error) {
    return error;
  }
}

test("a token gives back what it was made of, whatever letters that has", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (after) => {
      expect(readPageToken("names", writePageToken("names", after))).toBe(after);
    }),
  );
});

test("tokens of other lists and broken ones are refused", () => {
  const token = writePageToken("names", "ada");
  for (const broken of ["", "x", `${token}!`, ` ${token}`, `${token}=`, token.slice(0, -2)]) {
    const read = reasonOf("names", broken);
    if (typeof read === "string") expect(writePageToken("names", read)).toBe(broken);
    else expect(read, broken).toEqual(refused);
  }
  expect(reasonOf("zones", token)).toEqual(refused);
  expect(reasonOf("names", writePageToken("names", ""))).toEqual(refused);
});
