import { ErrorReason } from "../gen/ts/realmwire/v1/error_pb.ts";
import { hasReason } from "./errors.ts";

/** What a person who started the server is told, and what the process ends with. */
export interface StartFailure {
  readonly message: string;
  /** 2: what was asked for cannot be done, and asking again will not help. 1: anything else. */
  readonly exitCode: 1 | 2;
}

/** Errors of which the message says all: they are about the settings, the certificate, the game or the data folder. */
const SPEAKING = /^(?:ConfigError|CertificateError|GameError|MapError|FolderInUseError)$/;

/** Explains why a server did not start. Only what nobody foresaw is shown with its stack. */
export function explainStartFailure(error: unknown): StartFailure {
  if (!(error instanceof Error)) return { message: String(error), exitCode: 1 };
  if (SPEAKING.test(error.name)) return { message: error.message, exitCode: 2 };
  if (hasReason(error, ErrorReason.STORE_UNAVAILABLE)) {
    const { cause } = error;
    if (cause instanceof Error && cause.name === "DiskFullError") {
      return { message: cause.message, exitCode: 1 };
    }
    const message = `the database cannot be reached (--database-url, DATABASE_URL): ${rootOf(error).message}`;
    return { message, exitCode: 1 };
  }
  const message = explainSystemError(error) ?? error.stack ?? error.message;
  return { message, exitCode: 1 };
}

function explainSystemError(error: NodeJS.ErrnoException & { port?: number; address?: string }) {
  const { code, syscall, port, address } = error;
  if (syscall === undefined) return undefined;
  if (syscall !== "listen" && syscall !== "getaddrinfo") return error.message;
  const where = port === undefined ? "the address" : `port ${port} at ${address}`;
  switch (code) {
    case "EADDRINUSE":
      return `${where} is in use: stop what uses it, or choose another with --port or PORT, for metrics --metrics-port`;
    case "EACCES":
      return `${where} may not be used by this user: choose another with --port or PORT`;
    default:
      return `cannot listen (--host, REALMWIRE_HOST; --port, PORT): ${error.message}`;
  }
}

/** The error underneath, which knows what happened. */
function rootOf(error: Error): Error {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) {
    return rootOf(error.errors[0]);
  }
  return error.cause instanceof Error ? rootOf(error.cause) : error;
}
