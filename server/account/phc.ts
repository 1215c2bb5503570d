/** An argon2id hash with all that is needed to compute it again. */
export interface PasswordHash {
  readonly memoryKib: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}

/** The version of Argon2 that RFC 9106 defines, 0x13, as PHC strings write it. */
const ARGON2_VERSION = 19;

/** The most memory that a stored hash may ask for, in KiB: a bad record must not take the machine's memory. */
const MAX_MEMORY_KIB = 256 * 1024;
/** The most passes that a stored hash may ask for. */
const MAX_PASSES = 16;
/** The most lanes that a stored hash may ask for. */
const MAX_PARALLELISM = 16;
/** Lengths of salts in bytes: Argon2 needs 8, the PHC string format allows 48. */
const SALT_BYTES = { min: 8, max: 48 } as const;
/** Lengths of tags in bytes, as the PHC string format allows them. */
const TAG_BYTES = { min: 12, max: 64 } as const;

const PHC_FORM =
  /^\$argon2id\$v=(\d{1,2})\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/**
 * Writes a hash as a PHC string, `$argon2id$v=19$m=…,t=…,p=…$salt$tag` with base64 without padding
 * (the PHC string format of the Password Hashing Competition).
 */
export function formatPhc(hash: PasswordHash): string {
  const parameters = `m=${hash.memoryKib},t=${hash.passes},p=${hash.parallelism}`;
  return `$argon2id$v=${ARGON2_VERSION}$${parameters}$${encode(hash.salt)}$${encode(hash.tag)}`;
}

/** Reads a PHC string of an argon2id hash. Throws when it is none, or when it asks for more than the bounds above. */
export function parsePhc(text: string): PasswordHash {
  const match = PHC_FORM.exec(text);
  if (match === null) {
    throw new Error("the stored password is not an argon2id hash");
  }
  const [, version, memory, passes, parallelism, salt, tag] = match as unknown as string[];
  const hash = {
    memoryKib: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: decode(salt ?? ""),
    tag: decode(tag ?? ""),
  };
  if (Number(version) !== ARGON2_VERSION || !isWithinBounds(hash)) {
    throw new Error("the stored password's hash has parameters that are not supported");
  }
  return hash;
}

function isWithinBounds(hash: PasswordHash): boolean {
  return (
    isBetween(hash.parallelism, 1, MAX_PARALLELISM) &&
    // Argon2 needs 8 KiB for each lane (RFC 9106, 3.1).
    isBetween(hash.memoryKib, 8 * hash.parallelism, MAX_MEMORY_KIB) &&
    isBetween(hash.passes, 1, MAX_PASSES) &&
    isBetween(hash.salt.length, SALT_BYTES.min, SALT_BYTES.max) &&
    isBetween(hash.tag.length, TAG_BYTES.min, TAG_BYTES.max)
  );
}

function isBetween(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replaceAll("=", "");
}

function decode(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}
