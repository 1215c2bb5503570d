export { checkFolder, updateFolder } from "./update-folder.ts";
export type { UpdateCheck, UpdateOptions, UpdateProgress, UpdateReport } from "./update-folder.ts";
export { UpdateError } from "./errors.ts";
export type { UpdateFailure } from "./errors.ts";
export type { Renamed } from "./own-files.ts";
export type { Retry, RetryPolicy } from "./retries.ts";
export { RealmwireError } from "../ts/errors.ts";
