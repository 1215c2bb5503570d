import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileRegistry, type DescFile, type DescMethod, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { getComments } from "@bufbuild/protoplugin";
import { type MethodAccess, readAccess } from "../../server/rpc/pipeline/access.ts";
import { run } from "../command.ts";

/** Packages that clients have nothing to do with: protos of others, and what servers tell themselves. */
const HIDDEN_PACKAGE = /^(?:grpc|buf|google)\.|\.internal\./;

/** One call, and who may make it how often. */
export interface ReferenceCall {
  readonly method: DescMethod;
  readonly access: MethodAccess;
}

/** The public protos with their comments, as they stand in the files. */
export interface Protocol {
  /** By name. */
  readonly files: readonly DescFile[];
  /** Every call of these files, in their order. */
  readonly calls: readonly ReferenceCall[];
}

/** Reads the protos by `buf build`: what is generated in `gen/` has no comments. Throws when they do not compile. */
export async function loadProtocol(): Promise<Protocol> {
  const folder = await mkdtemp(join(tmpdir(), "realmwire-protos-"));
  try {
    const image = join(folder, "protos.binpb");
    const built = await run("buf", ["build", "--as-file-descriptor-set", "-o", image]);
    if (built.exitCode !== 0) throw new Error(built.output);
    const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, await readFile(image)));
    const files = [...registry.files]
      .filter((file) => !HIDDEN_PACKAGE.test(`${file.proto.package}.`))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const access = readAccess(files.flatMap(({ services }) => services));
    return { files, calls: [...access].map(([method, rule]) => ({ method, access: rule })) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The comment in front of something, paragraphs apart by empty lines. Empty: it has none. */
export function commentOf(desc: Parameters<typeof getComments>[0]): string {
  const { leading = "" } = getComments(desc);
  return leading
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim().replaceAll(/\s*\n\s*/g, " "))
    .filter((paragraph) => paragraph !== "")
    .join("\n\n");
}
