import { Code } from "@connectrpc/connect";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { RealmwireError } from "../ts/errors.ts";
import { enumName } from "../cli/language/enum-name.ts";
import { printable } from "../cli/terminal/printable.ts";

/** With what the program ends. */
export const EXIT = {
  done: 0,
  /** The server refused a call, or something failed. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** No server answers. */
  unreachable: 3,
  /** Ctrl-C: 128 and the number of its signal, as in shells. */
  interrupted: 130,
} as const;

/** A command that was given wrongly. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Something that cannot be done, of which the message says all. */
export class ToolError extends Error {
  override readonly name = "ToolError";
}

/** Ctrl-C was pressed, or the answer was no. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** Errors of the server's own parts of which the message says all. */
const SPEAKING =
  /^(?:UsageError|ToolError|Interrupted|BackupError|RestoreError|ReplayError|FolderInUseError|GameError|MapError|ConfigError)$/;

/** What people do about an error, where more can be said than the server says. */
const ADVICE: ReadonlyMap<ErrorReason, string> = new Map([
  [ErrorReason.ROLE_TOO_LOW, "Only admins may do this: --user <name> chooses another account."],
  [ErrorReason.TOKEN_INVALID, "Log in again, or send a token that works."],
]);

/** What went wrong, for people, in lines. */
export function explainError(error: unknown): string[] {
  if (!(error instanceof RealmwireError)) {
    if (!(error instanceof Error)) return [String(error)];
    const isClear = SPEAKING.test(error.name) || "syscall" in error || "reason" in error;
    const text = isClear ? error.message : (error.stack ?? error.message);
    return text.split("\n").map(printable);
  }
  const { message, violations, retryDelayMs, reason, metadata } = error;
  const lines = isUnreachable(error) ? [`no server answers: ${message}`] : [message];
  for (const { field, description } of violations) {
    if (!message.includes(description)) lines.push(`  ${field}: ${description}`);
  }
  for (const [name, value] of Object.entries(metadata)) {
    if (!message.includes(value)) lines.push(`  ${name}: ${value}`);
  }
  if (retryDelayMs !== undefined)
    lines.push(`  Try again in ${(retryDelayMs / 1000).toFixed(1)} s.`);
  const advice = ADVICE.get(reason);
  if (advice !== undefined) lines.push(`  ${advice}`);
  if (reason === ErrorReason.UNSPECIFIED && message.includes("certificate")) {
    lines.push("  --ca <file> names the certificate to trust, if you know it.");
  }
  return lines.map(printable);
}

/** An error as `--json` prints it. */
export function errorData(error: unknown): object {
  if (!(error instanceof RealmwireError)) return { message: explainError(error).join("\n") };
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

/** With what the program ends because of an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof Interrupted) return EXIT.interrupted;
  return isUnreachable(error) ? EXIT.unreachable : EXIT.failed;
}

/** Whether nobody answered, as opposed to a server that refused. */
function isUnreachable(error: unknown): boolean {
  if (!(error instanceof RealmwireError) || error.reason !== ErrorReason.UNSPECIFIED) return false;
  return error.code === Code.Unavailable || error.code === Code.DeadlineExceeded;
}
