import { z } from "zod";
import { parseAddresses } from "./addresses.ts";
import { names, type Setting, whole } from "./setting-rules.ts";

/** Addresses and networks; undefined: there are none. */
const addresses = names.transform((items, context) => {
  if (items.length === 0) return undefined;
  try {
    return parseAddresses(items);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
    return z.NEVER;
  }
});

/** More than any machine takes. */
const MOST = 1_000_000;

/** The settings of who may take how much of a server: bounds that an operator may want to move. */
export const LIMIT_SETTINGS = {
  trustedProxies: {
    flag: "--trusted-proxies <list>",
    env: "REALMWIRE_TRUSTED_PROXIES",
    help: "addresses and networks of proxies whose x-forwarded-for is believed, separated by commas; default: none",
    default: "",
    rule: addresses,
  },
  connections: {
    flag: "--connections <number>",
    env: "REALMWIRE_CONNECTIONS",
    help: "connections that may be open at once",
    default: "20000",
    rule: whole(1, MOST),
  },
  connectionsPerAddress: {
    flag: "--connections-per-address <number>",
    env: "REALMWIRE_CONNECTIONS_PER_ADDRESS",
    help: "of them, those from one address that is no trusted proxy",
    default: "5000",
    rule: whole(1, MOST),
  },
  wrongPasswordsPerMinute: {
    flag: "--wrong-passwords-per-minute <number>",
    env: "REALMWIRE_WRONG_PASSWORDS_PER_MINUTE",
    help: "wrong passwords that one account takes; ten times as many from one address",
    default: "20",
    rule: whole(1, MOST),
  },
  wrongTokensPerMinute: {
    flag: "--wrong-tokens-per-minute <number>",
    env: "REALMWIRE_WRONG_TOKENS_PER_MINUTE",
    help: "wrong tokens that one address may send",
    default: "600",
    rule: whole(1, MOST),
  },
  brokenRequestsPerMinute: {
    flag: "--broken-requests-per-minute <number>",
    env: "REALMWIRE_BROKEN_REQUESTS_PER_MINUTE",
    help: "broken requests that one address may send until its connections are closed",
    default: "600",
    rule: whole(1, MOST),
  },
} as const satisfies Record<string, Setting>;
