import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Runs the tests of whole servers first: they wait much, and none of them may be left alone at the end. */
export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

/** Those that last for minutes by waiting, then the other whole servers, then the rest. */
function rank({ moduleId }: TestSpecification): number {
  if (/\/test\/e2e\/(calls|operations-crowd|operations-crash|operations-disk)/.test(moduleId))
    return 0;
  return moduleId.includes("/test/") ? 1 : 2;
}
