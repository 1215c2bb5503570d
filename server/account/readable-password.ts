import { randomBytes } from "node:crypto";

/** Words of a made-up password: five of four letters make 60 bits of chance. */
const PASSWORD_WORDS = 5;
/** 16 consonants and 4 vowels: 4 and 2 bits. */
const CONSONANTS = "bdfghjklmnprstvz";
const VOWELS = "aiou";

/** A random password that can be read out and typed, such as `kifo-ramu-tosa-bonu-gali`. */
export function readablePassword(): string {
  const words = Array.from({ length: PASSWORD_WORDS }, () =>
    [...randomBytes(2)]
      .map((byte) => CONSONANTS.charAt(byte & 15) + VOWELS.charAt((byte >> 4) & 3))
      .join(""),
  );
  return words.join("-");
}
