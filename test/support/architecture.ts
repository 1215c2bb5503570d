import { posix } from "node:path";
import { codeOnly, importsOf } from "./source-text.ts";

/** Sources by path from the project's folder, with `/`. */
export type Sources = ReadonlyMap<string, string>;

/** Which files a rule is for, and what they may import. */
export interface ImportRule {
  /** A folder, ending in `/`, or a file. The longest one that fits a file counts; `*` stands for one folder or file name. */
  readonly files: string;
  /** What they may import besides the folder of the rule. Folders and files like `files`; `node:` for Node's own modules, `package:` for all packages, `package:name` for one with its subpaths. */
  readonly may: readonly string[];
}

interface Import {
  readonly from: string;
  readonly line: number;
  /** A path of the project, `node:…` or `package:…`. */
  readonly to: string;
  readonly specifier: string;
}

/** A file that exists to test others: the table does not bind it. */
export function isTest(path: string): boolean {
  return path.endsWith(".test.ts");
}

/** The imports that the rules do not allow, a line for each. A file without a rule is one too. */
export function findForbiddenImports(sources: Sources, rules: readonly ImportRule[]): string[] {
  return [...sources].flatMap(([path, source]) => {
    if (isTest(path)) return [];
    const rule = ruleOf(path, rules);
    if (rule === undefined) return [`${path} has no place in the table of imports`];
    return readImports(path, source)
      .filter(({ to }) => !to.startsWith(rule.own))
      .filter(({ to }) => !rule.may.some((allowed) => allows(allowed, to)))
      .map(({ line, to }) => `${path}:${line} must not import ${to}`);
  });
}

/** Imports of project files without the `.ts` ending, and of files that are not there. */
export function findBrokenImports(sources: Sources, exists: (path: string) => boolean): string[] {
  return [...sources].flatMap(([path, source]) =>
    readImports(path, source).flatMap(({ line, to, specifier }) => {
      if (to.startsWith("node:") || to.startsWith("package:")) return [];
      if (!/\.(?:ts|mjs|json)$/.test(specifier)) {
        return [`${path}:${line} imports ${specifier} without the ending .ts`];
      }
      return exists(to) ? [] : [`${path}:${line} imports ${specifier}, which does not exist`];
    }),
  );
}

/** Circles of imports, each as the files from one back to itself. Type imports count. */
export function findCycles(sources: Sources): string[] {
  const next = new Map(
    [...sources].map(([path, source]) => [
      path,
      readImports(path, source)
        .map(({ to }) => to)
        .filter((to) => sources.has(to)),
    ]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path].join(" → "));
    if (start >= 0 || done.has(path)) return;
    for (const to of next.get(path) ?? []) visit(to, [...trail, path]);
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return cycles;
}

/** Uses of words that these files must not have in their code; words in comments and strings do not count. */
export function findForbiddenWords(sources: Sources, words: readonly RegExp[]): string[] {
  return [...sources].flatMap(([path, source]) =>
    codeOnly(source)
      .split("\n")
      .flatMap((line, i) =>
        words.flatMap((word) => {
          const found = word.exec(line);
          return found === null ? [] : [`${path}:${i + 1} uses ${found[0]}`];
        }),
      ),
  );
}

/** Files over so many lines whose first lines do not say why the file is `one piece`. */
export function findLongFiles(sources: Sources, maxLines: number): string[] {
  return [...sources].flatMap(([path, source]) => {
    const lines = source.trimEnd().split("\n");
    const head = lines.slice(0, LINES_NEAR_THE_TOP).join("\n");
    if (lines.length <= maxLines || /(?:\/\/|\*).*\bone piece\b/.test(head)) return [];
    return [`${path} has ${lines.length} lines and does not say at its top why it is one piece`];
  });
}

/** Behind the imports, which come first. */
const LINES_NEAR_THE_TOP = 60;

function readImports(path: string, source: string): Import[] {
  return importsOf(source).map(({ specifier, line }) => ({
    from: path,
    line,
    specifier,
    to: resolve(path, specifier),
  }));
}

function resolve(path: string, specifier: string): string {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(path), specifier);
  return specifier.startsWith("node:") ? specifier : `package:${specifier}`;
}

/** The rule of a file, with the folder that it stands for here: of `games/*` + `/` that of one game. */
function ruleOf(path: string, rules: readonly ImportRule[]) {
  const rule = rules
    .filter(({ files }) => allows(files, path))
    .toSorted((a, b) => b.files.length - a.files.length)[0];
  return rule && { ...rule, own: patternOf(rule.files).exec(path)?.[0] ?? path };
}

function allows(allowed: string, path: string): boolean {
  return patternOf(allowed).test(path);
}

function patternOf(allowed: string): RegExp {
  if (allowed === "package:" || allowed === "node:") return new RegExp(`^${allowed}`);
  const pattern = allowed.replaceAll(".", String.raw`\.`).replaceAll("*", "[^/]+");
  // A folder stands for what is in it, a package for its subpaths too.
  const rest = allowed.endsWith("/") ? "" : allowed.startsWith("package:") ? "(?:/|$)" : "$";
  return new RegExp(`^${pattern}${rest}`);
}
