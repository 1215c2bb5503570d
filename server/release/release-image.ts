import { hash } from "node:crypto";
import { isUtf8 } from "node:buffer";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  ReleaseFileSchema,
  ReleaseManifestSchema,
  type ReleaseFile,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { placeOf, whyNotPortable } from "./portable-path.ts";
import { digestFile, releaseUnusable, type ReleaseContent } from "./release-content.ts";

/** The most files of a release. */
const MAX_RELEASE_FILES = 10_000;
/** The most folders of a release. */
const MAX_RELEASE_FOLDERS = 10_000;
/** The most bytes of a release: 1 GiB. */
const MAX_RELEASE_BYTES = 1024 ** 3;
/** The longest path in bytes. With the most files the manifest still fits in 4 MiB, the least that gRPC clients take. */
const MAX_PATH_BYTES = 255;
/** The files of a release as they were when it was read, and where their contents lie. */
export interface ReleaseImage {
  /** All files, sorted by the bytes of their paths. */
  readonly files: readonly ReleaseFile[];
  /** Each distinct content once, by its SHA-256 in hex, in the order of the files. */
  readonly contents: ReadonlyMap<string, ReleaseContent>;
  /** Bytes of all files. */
  readonly bytes: number;
  /** SHA-256 over the list of files: two folders with the same one are the same. */
  readonly sha256: Uint8Array;
}

/** Bounds of {@link readReleaseImage}; the defaults are those of the server. */
export interface ReleaseBounds {
  readonly maxFiles?: number;
  readonly maxBytes?: number;
}

/**
 * Reads a folder into an image. Every file is read once, in pieces. Rejects with `RELEASE_UNUSABLE` when the folder is
 * empty or too large, when it holds anything but files and folders, or a path that not every system can write.
 */
export async function readReleaseImage(
  folder: string,
  bounds: ReleaseBounds = {},
): Promise<ReleaseImage> {
  const paths = await listPaths(folder, bounds.maxFiles ?? MAX_RELEASE_FILES);
  const maxBytes = bounds.maxBytes ?? MAX_RELEASE_BYTES;
  const files: ReleaseFile[] = [];
  const contents = new Map<string, ReleaseContent>();
  let bytes = 0;
  for (const path of paths) {
    const digest = await digestFile(join(folder, path), path, maxBytes - bytes);
    const { content } = digest;
    const key = Buffer.from(content.sha256).toString("hex");
    if (!contents.has(key)) {
      contents.set(key, content);
    }
    bytes += content.size;
    files.push(
      create(ReleaseFileSchema, {
        path,
        size: BigInt(content.size),
        sha256: content.sha256,
        executable: digest.executable,
      }),
    );
  }
  return { files, contents, bytes, sha256: digestList(files) };
}

function digestList(files: ReleaseFile[]): Uint8Array {
  const list = toBinary(ReleaseManifestSchema, create(ReleaseManifestSchema, { files }));
  return new Uint8Array(hash("sha256", list, "buffer"));
}

/** The paths of all files below a folder, sorted by their bytes so that every machine lists them alike. */
async function listPaths(folder: string, maxFiles: number): Promise<string[]> {
  const files: string[] = [];
  // Folders are appended while the loop runs over them.
  const folders = [""];
  const places = new Map<string, string>();
  for (const parent of folders) {
    const entries = await readdir(join(folder, parent), {
      encoding: "buffer",
      withFileTypes: true,
    });
    for (const entry of entries) {
      const path = checkedPath(parent, entry.name);
      const other = places.get(placeOf(path));
      if (other !== undefined) {
        throw releaseUnusable(`${path} and ${other} are the same place on some system`);
      }
      places.set(placeOf(path), path);
      if (entry.isDirectory()) {
        folders.push(`${path}/`);
      } else if (entry.isFile()) {
        files.push(path);
      } else {
        const kind = entry.isSymbolicLink() ? "a symbolic link" : "neither a file nor a folder";
        throw releaseUnusable(`${path} is ${kind}`);
      }
    }
    if (files.length > maxFiles || folders.length > MAX_RELEASE_FOLDERS) {
      throw releaseUnusable(`it has more than ${maxFiles} files or ${MAX_RELEASE_FOLDERS} folders`);
    }
  }
  if (files.length === 0) {
    throw releaseUnusable("it has no files");
  }
  return files.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function checkedPath(parent: string, name: Buffer): string {
  const path = parent + name.toString("utf8");
  if (!isUtf8(name)) {
    throw releaseUnusable(`the name ${JSON.stringify(path)} is not UTF-8`);
  }
  const fault = whyNotPortable(path);
  if (fault !== undefined) throw releaseUnusable(`${JSON.stringify(path)} ${fault}`);
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw releaseUnusable(`${path} is longer than ${MAX_PATH_BYTES} bytes`);
  }
  return path;
}
