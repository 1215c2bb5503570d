/** What kept a client from being updated, besides errors of the call itself, which are `RealmwireError`s. */
export type UpdateFailure =
  /** Another updater works on the folder. */
  | "in-use"
  /** What the server sent cannot be a client: a path that leaves the folder, a content with another hash. Nothing of it was installed. */
  | "bad-release"
  /** The folder holds files, and nothing says of which release. */
  | "unknown-folder"
  /** What was given as the folder cannot be one that is swapped as a whole. */
  | "wrong-folder"
  /** No room left on the disk. */
  | "disk-full"
  /** The file system refused something else, such as for want of rights. */
  | "file-system";

/** A client that was not updated: it is as it was before, unless the message says otherwise. */
export class UpdateError extends Error {
  readonly failure: UpdateFailure;

  constructor(failure: UpdateFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "UpdateError";
    this.failure = failure;
  }
}

/** The code of an error of the file system, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Gives `undefined` when the promise rejects because there is no such file. */
export function orMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  return promise.catch((error: unknown) => {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  });
}

/** Whether an error comes from the operating system, which names the call that failed. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && codeOf(error) !== undefined;
}

/** Says in words for people what the file system refused; other errors stay as they are. */
export function explainFileError(error: unknown, folder: string): unknown {
  if (!isSystemError(error)) return error;
  const what = error.message;
  switch (error.code) {
    case "ENOSPC":
    case "EDQUOT":
      return new UpdateError(
        "disk-full",
        `no room is left on the disk of ${folder}; what arrived is kept, so run it again once there is (${what})`,
        error,
      );
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new UpdateError(
        "file-system",
        `${folder} cannot be replaced: the folder above it must be writable, and on Windows no program may have a file in it open (${what})`,
        error,
      );
    case "EBUSY":
    case "ENOTEMPTY":
      return new UpdateError("file-system", `${folder} is in use: end the client (${what})`, error);
    default:
      return new UpdateError("file-system", `${folder} was not updated: ${what}`, error);
  }
}
