import { glob } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { DescFile, DescMessage, DescService } from "@bufbuild/protobuf";
import { checkComponents, readAccess } from "../server/rpc/access.ts";
import { type CheckResult, root } from "./command.ts";

/** Protos of others, whose calls and messages carry none of our options. */
const FOREIGN_PACKAGE = /^(?:grpc|buf|google)\./;
/** Components that every game has. */
const COMMON_COMPONENTS: ReadonlySet<string> = new Set([
  "realmwire.v1.Body",
  "realmwire.v1.Presence",
]);
/** The file in which a game declares its components. */
const COMPONENTS_FILE = /(?:^|\/)components$/;

/** Checks what the server checks at its start, for all that is generated: every call has its `access`, every field of a component its `attribute`. */
export async function checkProtos(): Promise<CheckResult> {
  const files = await loadFiles();
  const services = files.flatMap((file) => file.services);
  const components = files.flatMap(componentsOf);
  const problems = findProblems(services, components);
  // Without these the check would look at nothing and be content.
  if (services.length === 0) problems.push("no service is generated in gen/ts");
  for (const name of COMMON_COMPONENTS) {
    if (!components.some((component) => component.typeName === name)) {
      problems.push(`${name} is not generated in gen/ts`);
    }
  }
  if (problems.length === 0) return { kind: "passed" };
  return { kind: "failed", output: problems.join("\n") };
}

/** What these services and components lack, a line for each. */
export function findProblems(
  services: readonly DescService[],
  components: readonly DescMessage[],
): string[] {
  return [
    ...services.map((service) => messageOf(() => readAccess([service]))),
    ...components.map((component) => messageOf(() => checkComponents([component]))),
  ].filter((problem) => problem !== undefined);
}

/** The components that a file declares. */
export function componentsOf(file: DescFile): DescMessage[] {
  if (COMPONENTS_FILE.test(file.name)) return [...file.messages];
  return file.messages.filter((message) => COMMON_COMPONENTS.has(message.typeName));
}

function messageOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
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
