/** The form of a version that semver.org gives (Semantic Versioning 2.0.0). */
const SEMVER_FORM =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

/** Whether a text is a semantic version. */
export function isSemver(text: string): boolean {
  return SEMVER_FORM.test(text);
}

/**
 * Below 0 when version `a` comes before `b`, above 0 when after, 0 when neither (Semantic Versioning 2.0.0, 11;
 * build metadata does not count). Throws when one of them is not a semantic version.
 */
export function compareSemver(a: string, b: string): number {
  const left = parse(a);
  const right = parse(b);
  return (
    compareParts(left.core, right.core) || comparePrereleases(left.prerelease, right.prerelease)
  );
}

interface Semver {
  readonly core: readonly string[];
  readonly prerelease: readonly string[];
}

function parse(text: string): Semver {
  const match = SEMVER_FORM.exec(text);
  if (match === null) {
    throw new Error(`${text} is not a semantic version`);
  }
  return { core: match.slice(1, 4), prerelease: match[4]?.split(".") ?? [] };
}

function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  // A version without a prerelease comes after all of its prereleases.
  if (a.length === 0 || b.length === 0) {
    return b.length - a.length;
  }
  return compareParts(a, b);
}

function compareParts(a: readonly string[], b: readonly string[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index];
    if (right === undefined) {
      return 1;
    }
    const order = comparePart(left, right);
    if (order !== 0) {
      return order;
    }
  }
  return a.length - b.length;
}

function comparePart(a: string, b: string): number {
  const aIsNumber = /^\d+$/.test(a);
  const bIsNumber = /^\d+$/.test(b);
  if (aIsNumber && bIsNumber) {
    // Without leading zeros a longer number is a greater one, however long it is.
    return a.length - b.length || compareText(a, b);
  }
  if (aIsNumber !== bIsNumber) {
    return aIsNumber ? -1 : 1;
  }
  return compareText(a, b);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
