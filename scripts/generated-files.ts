import { glob } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { DescFile, DescMessage, DescService } from "@bufbuild/protobuf";
import { root } from "./command.ts";

/** Protos of others, whose calls and messages carry none of our options. */
const FOREIGN_PACKAGE = /^(?:grpc|buf|google)\./;
/** Components that every game has. */
export const COMMON_COMPONENTS: ReadonlySet<string> = new Set([
  "realmwire.v1.Body",
  "realmwire.v1.Presence",
]);
/** The file in which a game declares its components. */
const COMPONENTS_FILE = /(?:^|\/)components$/;

/** What carries access rules. */
export interface RuledTypes {
  readonly services: readonly DescService[];
  readonly components: readonly DescMessage[];
}

/** The services and components of all that is generated in `gen/ts`, by name. */
export async function loadRuledTypes(): Promise<RuledTypes> {
  const files = await loadFiles();
  return {
    services: files.flatMap((file) => file.services).toSorted(byTypeName),
    components: files.flatMap(componentsOf).toSorted(byTypeName),
  };
}

/** The components that a file declares. */
export function componentsOf(file: DescFile): DescMessage[] {
  if (COMPONENTS_FILE.test(file.name)) return [...file.messages];
  return file.messages.filter((message) => COMMON_COMPONENTS.has(message.typeName));
}

function byTypeName(a: { typeName: string }, b: { typeName: string }): number {
  return a.typeName < b.typeName ? -1 : 1;
}

async function loadFiles(): Promise<DescFile[]> {
  const files: DescFile[] = [];
  for await (const path of glob("gen/ts/**/*_pb.ts", { cwd: root })) {
    const module: Record<string, unknown> = await import(pathToFileURL(join(root, path)).href);
    files.push(...Object.values(module).filter(isFile));
  }
  return files.filter((file) => !FOREIGN_PACKAGE.test(`${file.proto.package}.`));
}

function isFile(value: unknown): value is DescFile {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "file";
}
