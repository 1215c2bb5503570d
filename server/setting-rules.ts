import { z } from "zod";

/** One setting: its flag, its environment variable, what it means, its default and its rule. */
export interface Setting {
  readonly flag: string;
  readonly env: string;
  readonly help: string;
  readonly default: string;
  /** Never to be repeated in a message. */
  readonly secret?: boolean;
  /** Whether nothing means nothing; otherwise an empty variable counts as one that is not set. */
  readonly mayBeEmpty?: boolean;
  readonly rule: z.ZodType;
}

/** A number as people write it: no hexadecimal, no exponents, and nothing is not 0. */
export const decimal = z
  .string()
  .trim()
  .regex(/^\d+(\.\d+)?$/, "must be a number such as 8080")
  .transform(Number);

/** A whole number within bounds. */
export const whole = (min: number, max: number) =>
  decimal.pipe(z.number().int(`must be a whole number`).min(min).max(max));

/** Names, separated by commas. */
export const names = z.string().transform((text) =>
  text
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean),
);

/** A web origin as browsers write it: a scheme, a host and a port where it is not the usual one. Apps have schemes of their own. */
function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^/?#\s]+$/.test(text) || !URL.canParse(text)) return false;
  const { origin } = new URL(text);
  return origin === "null" || origin === text;
}

/** Web origins, separated by commas; `*` stands for all. */
export const origins = names.pipe(
  z.array(
    z.string().refine((origin) => origin === "*" || isOrigin(origin), {
      error: ({ input }) =>
        `${String(input)} is not an origin such as https://example.org, without a path`,
    }),
  ),
);
