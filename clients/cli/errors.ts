import { Code, ErrorReason, RealmwireError } from "../ts/index.ts";
import { line } from "./terminal/line.ts";
import type { Line } from "./terminal/line.ts";
import { COLORS } from "./terminal/paint.ts";
import { enumName } from "./language/enum-name.ts";

/** With what the program ends. */
export const EXIT = {
  done: 0,
  /** The server refused a call, or something failed. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** No server answers, or the connection was lost for good. */
  unreachable: 3,
  /** Ended by a signal: 128 and its number, as in shells. */
  hungUp: 129,
  interrupted: 130,
  pipeClosed: 141,
  terminated: 143,
} as const;

/** A command that was given wrongly. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Ctrl-C was pressed. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** What people do about an error, where more can be said than the server says. */
const ADVICE: ReadonlyMap<ErrorReason, string> = new Map([
  [ErrorReason.LOGIN_REQUIRED, "`login <name>` logs in, `register <name>` makes an account."],
  [ErrorReason.TOKEN_INVALID, "The session is over: `login <name>` begins a new one."],
  [
    ErrorReason.SESSION_REPLACED,
    "Your character was logged in elsewhere. `login <name>` takes it back.",
  ],
  [ErrorReason.KICKED, "`login <name>` begins a new session."],
  [ErrorReason.CREDENTIALS_WRONG, "`register <name>` makes a new account."],
  [ErrorReason.NO_CHARACTER, "`characters` lists yours, `play <name>` chooses one."],
  [ErrorReason.ATTRIBUTE_UNKNOWN, "`get` lists the attributes."],
]);

/** What went wrong, for people: the server's words, each broken rule with its field, how long to wait, and what to do. */
export function explainError(error: unknown, url: string): Line[] {
  if (!(error instanceof RealmwireError)) {
    return [line(error instanceof Error ? error.message : String(error), { color: COLORS.red })];
  }
  const texts = [];
  if (isUnreachable(error)) texts.push(...explainUnreachable(error, url));
  else texts.push(error.message);
  for (const { field, description } of error.violations) {
    const rule = description.startsWith(field) ? description : `${field}: ${description}`;
    if (!error.message.includes(description)) texts.push(`  ${rule}`);
  }
  const { limit } = error.metadata;
  if (limit !== undefined && !error.message.includes(limit)) texts.push(`  limit: ${limit}`);
  if (error.retryDelayMs !== undefined) {
    texts.push(`  Try again in ${secondsOf(error.retryDelayMs)}.`);
  }
  const advice = ADVICE.get(error.reason);
  if (advice !== undefined) texts.push(`  ${advice}`);
  return texts.map((text, index) => line(text, index === 0 ? { color: COLORS.red } : undefined));
}

/** Whether no server could be talked to, as opposed to one that refused. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof RealmwireError) || error.reason !== ErrorReason.UNSPECIFIED) return false;
  const { code } = error;
  if (code === Code.Unavailable || code === Code.DeadlineExceeded) return true;
  return adviceOnTls(error) !== undefined;
}

/** What to do where one side speaks TLS and the other one does not, or does not trust it. Undefined: it is not about that. */
function adviceOnTls({ message }: RealmwireError): string | undefined {
  if (/certificate/i.test(message)) {
    return "  A certificate of your own is trusted with NODE_EXTRA_CA_CERTS=<its file> before npm run cli.";
  }
  // HTTP/2's INADEQUATE_SECURITY, with which a port that speaks TLS only turns plaintext away.
  return /error code 12\b/.test(message) ? "  This port speaks TLS only: use https://" : undefined;
}

/** With what the program ends because of an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof Interrupted) return EXIT.interrupted;
  return isUnreachable(error) ? EXIT.unreachable : EXIT.failed;
}

/** An error as `--json` prints it. */
export function errorData(error: unknown): object {
  if (!(error instanceof RealmwireError)) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
  const { message, metadata, violations, retryDelayMs } = error;
  return {
    message,
    code: enumName(Code, error.code),
    reason: enumName(ErrorReason, error.reason),
    metadata,
    violations: violations.map(({ field, description }) => ({ field, description })),
    ...(retryDelayMs !== undefined && { retryDelayMs }),
  };
}

/** A span of time for people. */
export function secondsOf(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
}

function explainUnreachable(error: RealmwireError, url: string): string[] {
  const { message } = error;
  const advice = adviceOnTls(error);
  if (advice !== undefined) return [`No connection to ${url} (${message}).`, advice];
  return [
    `No server answers at ${url} (${message}).`,
    "  Start one: run `npm start` in the project's folder, in another terminal, and keep it running.",
    "  Or name another one: npm run cli -- --url http://host:port",
  ];
}
