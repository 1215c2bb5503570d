/** One import of a module, type imports and `export … from` included. */
export interface ImportSite {
  readonly specifier: string;
  /** The line it ends on, from 1. */
  readonly line: number;
}

/** What may stand before a `/` that begins a regular expression rather than divides. */
const BEFORE_REGEXP = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|do|else))\s*$/;
const IMPORTS = [
  /\b(?:import|export)\b[^;"'`()=]*?\bfrom\s*(["'])/g,
  /\bimport\s*(["'])/g,
  /\bimport\s*\(\s*(["'`])/g,
];

/**
 * The same text with every character of comments, strings and regular expressions turned to spaces:
 * what is left is code, in its place. Quotes stay. The code within `${…}` stays too.
 */
export function codeOnly(source: string): string {
  const chars = source.split("");
  const blank = (from: number, to: number) => {
    for (let i = from; i < to; i++) if (chars[i] !== "\n") chars[i] = " ";
  };
  /** How deep in braces each open `${` is. */
  const templates: number[] = [];
  let depth = 0;
  let at = 0;
  while (at < source.length) {
    const char = source[at] ?? "";
    const closesTemplate = char === "}" && templates.at(-1) === depth;
    if (closesTemplate) templates.pop();
    const end = closesTemplate || char === "`" ? templateEnd(source, at) : literalEnd(source, at);
    if (end !== undefined) {
      const isComment = char === "/" && (source[at + 1] === "/" || source[at + 1] === "*");
      blank(isComment ? at : at + 1, isComment ? end : end - 1);
      if ((closesTemplate || char === "`") && source[end - 1] === "{") templates.push(depth);
      at = end;
      continue;
    }
    if (char === "{") depth++;
    if (char === "}") depth--;
    at++;
  }
  return chars.join("");
}

/** The modules that a source imports, in the order of the forms of import. */
export function importsOf(source: string): ImportSite[] {
  const code = codeOnly(source);
  return IMPORTS.flatMap((form) =>
    [...code.matchAll(form)].map((match) => {
      const start = match.index + match[0].length;
      const end = source.indexOf(match[1] ?? "", start);
      const line = source.slice(0, start).split("\n").length;
      return { specifier: source.slice(start, end), line };
    }),
  );
}

/** Where the comment, string or regular expression that begins here ends; undefined when none begins. */
function literalEnd(source: string, at: number): number | undefined {
  const char = source[at];
  if (char === '"' || char === "'") return quotedEnd(source, at + 1, char);
  if (char !== "/") return undefined;
  if (source[at + 1] === "/") return orEnd(source, source.indexOf("\n", at));
  if (source[at + 1] === "*") return orEnd(source, source.indexOf("*/", at + 2) + 2, 2);
  if (!BEFORE_REGEXP.test(source.slice(Math.max(0, at - 20), at))) return undefined;
  return regexpEnd(source, at + 1);
}

function orEnd(source: string, found: number, least = 0): number {
  return found < least ? source.length : found;
}

function quotedEnd(source: string, from: number, quote: string): number {
  for (let i = from; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === quote) return i + 1;
  }
  return source.length;
}

/** The end of a stretch of a template: behind its closing quote, or behind the brace of `${`. */
function templateEnd(source: string, at: number): number {
  for (let i = at + 1; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === "`") return i + 1;
    else if (source[i] === "$" && source[i + 1] === "{") return i + 2;
  }
  return source.length;
}

function regexpEnd(source: string, from: number): number | undefined {
  let inClass = false;
  for (let i = from; i < source.length; i++) {
    const char = source[i];
    if (char === "\n") return undefined;
    if (char === "\\") i++;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) return i + 1;
  }
  return undefined;
}
