import fc from "fast-check";
import { expect, test } from "vitest";
import { storableJson, storableText } from "./storable-text.ts";

test("only NUL and broken surrogates are replaced", () => {
  expect(storableText("a\0b\ud800c\udc00")).toBe("a\ufffdb\ufffdc\ufffd");
  expect(storableText("é日本🙂\\u0000\n")).toBe("é日本🙂\\u0000\n");
});

test("JSON comes back with its texts made storable, whatever they are", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "\\", '"', "u0000", "\0", "\ud800", "🙂") });
  fc.assert(
    fc.property(text, text, (one, two) => {
      expect(JSON.parse(storableJson({ one, list: [two, 1, null] }))).toEqual({
        one: storableText(one),
        list: [storableText(two), 1, null],
      });
    }),
  );
});
