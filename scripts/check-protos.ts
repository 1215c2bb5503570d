import type { DescMessage, DescService } from "@bufbuild/protobuf";
import { checkComponents, readAccess } from "../server/rpc/pipeline/access.ts";
import type { CheckResult } from "./command.ts";
import { COMMON_COMPONENTS, loadRuledTypes } from "./generated-files.ts";

/** Checks what the server checks at its start, for all that is generated: every call has its `access`, every field of a component its `attribute`. */
export async function checkProtos(): Promise<CheckResult> {
  const { services, components } = await loadRuledTypes();
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

function messageOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
