/** What stands in a text where the database cannot keep what was there. */
const REPLACEMENT = "\ufffd";

/** The text with NUL characters and broken surrogates replaced by U+FFFD: PostgreSQL refuses both, with the whole statement. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll("\0", REPLACEMENT);
}

/** JSON text of a value, its strings as in {@link storableText}. */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value);
  // Strings that need work are rare, and going through all of them doubles the cost.
  if (!/\\u(?:0000|d[89a-f])/.test(json)) return json;
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "string" ? storableText(part) : part,
  );
}
