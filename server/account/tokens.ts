import { hash, randomBytes } from "node:crypto";

/** Bytes of chance in a token: 256 bits, too many to guess. */
const TOKEN_BYTES = 32;
const TOKEN_FORM = /^[A-Za-z0-9_-]{43}$/;

/** A new random token: 43 characters of base64url. */
export function createToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

/** Whether a text has the form of a token. What has not need not be looked up. */
export function isToken(text: string): boolean {
  return TOKEN_FORM.test(text);
}

/** SHA-256 of a token, 32 bytes. The token is random, so that a fast hash without salt is enough. */
export function hashToken(token: string): Uint8Array {
  return new Uint8Array(hash("sha256", token, "buffer"));
}

/** The key of a session inside the server: the token's hash in hex. */
export function sessionKey(tokenHash: Uint8Array): string {
  return Buffer.from(tokenHash).toString("hex");
}

/** The key of the session that a token opens, in one step: each call asks for it. */
export function sessionKeyOf(token: string): string {
  return hash("sha256", token, "hex");
}

/** A token as a caller showed it. What shows the same one with each call is spared reckoning its key again. */
export class ShownToken {
  private readonly text: string;
  private reckoned: { readonly key: string | undefined } | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** The key of the session that it opens; undefined when it has not the form of a token. */
  get key(): string | undefined {
    const { text } = this;
    this.reckoned ??= { key: isToken(text) ? sessionKeyOf(text) : undefined };
    return this.reckoned.key;
  }

  toString(): string {
    return this.text;
  }
}

/** The token's hash that a session's key stands for. */
export function tokenHashOf(key: string): Uint8Array {
  return new Uint8Array(Buffer.from(key, "hex"));
}
