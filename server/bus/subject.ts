/** The longest subject, in characters. */
export const MAX_SUBJECT_LENGTH = 255;

const SUBJECT = /^[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)*$/u;
const PATTERN = /^(?:(?:[\p{L}\p{N}_-]+|\*)\.)*(?:[\p{L}\p{N}_-]+|\*|>)$/u;

/** Throws a `TypeError` that says what is wrong when this is not a subject. */
export function checkSubject(subject: string): void {
  if (subject.length <= MAX_SUBJECT_LENGTH && SUBJECT.test(subject)) return;
  throw new TypeError(
    `${JSON.stringify(subject)} is not a subject: tokens of letters, digits, "_" and "-", joined by dots, ` +
      `at most ${MAX_SUBJECT_LENGTH} characters`,
  );
}

/** Throws a `TypeError` that says what is wrong when this is not a pattern to subscribe to. */
export function checkPattern(pattern: string): void {
  if (pattern.length <= MAX_SUBJECT_LENGTH && PATTERN.test(pattern)) return;
  throw new TypeError(
    `${JSON.stringify(pattern)} is not a pattern: tokens of letters, digits, "_" and "-", or "*", joined by dots, ` +
      `the last one may be ">", at most ${MAX_SUBJECT_LENGTH} characters`,
  );
}

/** Values filed under patterns, found by subject. */
export interface SubjectTree<T> {
  /** Files a value; what comes back takes it out again. Expects a valid pattern. */
  add(pattern: string, value: T): () => void;
  /** The values whose patterns match, in the order in which they were added. Expects a valid subject. */
  match(subject: string): T[];
}

interface Entry<T> {
  readonly value: T;
  readonly order: number;
}

interface Branch<T> {
  readonly next: Map<string, Branch<T>>;
  readonly entries: Set<Entry<T>>;
}

/** Creates an empty tree. Looking up costs by the tokens of the subject, not by the number of patterns. */
export function createSubjectTree<T>(): SubjectTree<T> {
  const root: Branch<T> = { next: new Map(), entries: new Set() };
  let added = 0;

  function add(pattern: string, value: T): () => void {
    const entry = { value, order: added++ };
    const tokens = pattern.split(".");
    const path = [root];
    for (const token of tokens) path.push(branchAt(path[path.length - 1] ?? root, token));
    path[path.length - 1]?.entries.add(entry);
    return () => {
      path[path.length - 1]?.entries.delete(entry);
      prune(path, tokens);
    };
  }

  function match(subject: string): T[] {
    const found: Entry<T>[] = [];
    collect(root, subject.split("."), 0, found);
    if (found.length > 1) found.sort((a, b) => a.order - b.order);
    return found.map((entry) => entry.value);
  }

  return { add, match };
}

function branchAt<T>(branch: Branch<T>, token: string): Branch<T> {
  let next = branch.next.get(token);
  if (next === undefined) {
    next = { next: new Map(), entries: new Set() };
    branch.next.set(token, next);
  }
  return next;
}

function collect<T>(branch: Branch<T>, tokens: readonly string[], at: number, found: Entry<T>[]) {
  const token = tokens[at];
  if (token === undefined) {
    found.push(...branch.entries);
    return;
  }
  const rest = branch.next.get(">");
  if (rest !== undefined) found.push(...rest.entries);
  const any = branch.next.get("*");
  if (any !== undefined) collect(any, tokens, at + 1, found);
  const exact = branch.next.get(token);
  if (exact !== undefined) collect(exact, tokens, at + 1, found);
}

/** Takes branches away that hold nothing any more, from the tip; `path[i + 1]` hangs at `path[i]` by `tokens[i]`. */
function prune<T>(path: readonly Branch<T>[], tokens: readonly string[]): void {
  for (let i = tokens.length - 1; i >= 0; i--) {
    const parent = path[i];
    const child = path[i + 1];
    const token = tokens[i];
    if (parent === undefined || child === undefined || token === undefined) return;
    if (child.entries.size > 0 || child.next.size > 0) return;
    // Another branch may have grown here since: only the one that is empty goes.
    if (parent.next.get(token) === child) parent.next.delete(token);
  }
}
