import type { ReleaseFile, ReleaseManifest } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { UpdateError } from "./errors.ts";
import { toHex } from "./digest.ts";

/** The most files of a release, as the server promises. */
const MAX_FILES = 10_000;
/** The longest path in bytes, as the server promises. */
const MAX_PATH_BYTES = 255;
/** The most characters of a platform or a version. */
const MAX_NAME_LENGTH = 64;
const SHA256_BYTES = 32;
/** The file in which a client's folder keeps the manifest of its release. No release may bring one. */
export const MANIFEST_FILE = ".realmwire-release.json";

/** Characters that some system does not take in a name, or takes for something else: separators, drives, streams, controls. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const FORBIDDEN = /[\\:*?"<>|\u0000-\u001f\u007f-\u009f]/;
/** Names of devices, which Windows finds in every folder and with every ending. */
const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?: *\.|$)/i;

/** A manifest whose files may be written into a folder. */
export type SafeManifest = ReleaseManifest & {
  readonly release: NonNullable<ReleaseManifest["release"]>;
};

/**
 * Checks a manifest before anything of it is used: no path may lead out of the folder on any system, nor may two paths be the same
 * file on some. Throws an {@link UpdateError} that names the first one which is wrong.
 */
export function requireSafeManifest(manifest: ReleaseManifest): SafeManifest {
  const { release, files } = manifest;
  if (release === undefined) throw badRelease("the manifest names no release");
  for (const name of [release.platform, release.version]) {
    if (name === "" || name.length > MAX_NAME_LENGTH || !/^[\w.+-]+$/.test(name)) {
      throw badRelease(`${quote(name)} is no name of a platform or a version`);
    }
  }
  if (files.length === 0) throw badRelease("it has no files");
  if (files.length > MAX_FILES) throw badRelease(`it has more than ${MAX_FILES} files`);
  const places = new Map<string, Place>();
  const sizes = new Map<string, bigint>();
  for (const file of files) {
    const fault = faultOf(file.path);
    if (fault !== undefined) throw badRelease(`the path ${quote(file.path)} ${fault}`);
    claim(places, file.path);
    requireContent(sizes, file);
  }
  return { ...manifest, release };
}

/** What is wrong with a path, if anything is. */
function faultOf(path: string): string | undefined {
  if (path === "") return "is empty";
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `is longer than ${MAX_PATH_BYTES} bytes`;
  if (path.startsWith("/")) return "is absolute";
  if (FORBIDDEN.test(path)) return "has a character that not every system takes";
  for (const name of path.split("/")) {
    if (name === "") return "has a name that is empty";
    if (name === "." || name === "..") return `has the name ${quote(name)}`;
    if (/[. ]$/.test(name)) return "has a name that ends with a dot or a space";
    if (RESERVED.test(name)) return "has a name that is a device on Windows";
  }
  if (foldCase(path.split("/")[0] ?? "") === MANIFEST_FILE) return "is the updater's own";
  return undefined;
}

interface Place {
  readonly path: string;
  readonly isFile: boolean;
}

/** Takes the places of a file and the folders above it, which must not be taken by another spelling or another kind. */
function claim(places: Map<string, Place>, path: string): void {
  for (let end = path.indexOf("/"); ; end = path.indexOf("/", end + 1)) {
    const isFile = end === -1;
    const part = isFile ? path : path.slice(0, end);
    const other = places.get(foldCase(part));
    if (other === undefined) places.set(foldCase(part), { path: part, isFile });
    else if (isFile || other.isFile || other.path !== part) {
      throw badRelease(`${quote(part)} and ${quote(other.path)} are the same place on some system`);
    }
    if (isFile) return;
  }
}

/** A text that is the same for names that some file system takes for the same. */
export function foldCase(name: string): string {
  const bare = name.normalize("NFC").replaceAll(/\p{Default_Ignorable_Code_Point}/gu, "");
  return bare.toUpperCase().toLowerCase().normalize("NFC");
}

function requireContent(sizes: Map<string, bigint>, { path, sha256, size }: ReleaseFile): void {
  if (sha256.length !== SHA256_BYTES)
    throw badRelease(`the hash of ${quote(path)} has no 32 bytes`);
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw badRelease(`${quote(path)} is too large`);
  const key = toHex(sha256);
  const known = sizes.get(key);
  if (known !== undefined && known !== size) {
    throw badRelease(`the content of ${quote(path)} has two sizes`);
  }
  sizes.set(key, size);
}

/** The error of a server that sends what cannot be installed. */
export function badRelease(why: string): UpdateError {
  return new UpdateError("bad-release", `the server's release cannot be installed: ${why}`);
}

/** A text from outside, safe to print. */
function quote(text: string): string {
  const escaped = JSON.stringify(text.slice(0, MAX_PATH_BYTES));
  return escaped.replaceAll(/\p{C}/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
}
