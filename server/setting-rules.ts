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
/** A whole number in a range. */
export const whole = (min: number, max: number) =>
  decimal.pipe(z.number().int(`must be a whole number`).min(min).max(max));
/** Names, separated by commas. */
export const names = z.string().transform((text) =>
  text
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean),
);
