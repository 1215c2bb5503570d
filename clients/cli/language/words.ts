/** What follows a command. */
export interface Input {
  /** Its words; quoted ones without their quotes. */
  readonly words: readonly string[];
  /** The text from a word on as it was typed, words counted from 0; a single quoted word without its quotes. Empty: there is none. */
  rest(from: number): string;
}

/** A word with the place where it begins. */
interface Word {
  readonly text: string;
  readonly start: number;
}

/** In quotes, `name="in quotes"`, or anything up to a space. */
const WORD = /([\w.]+=)?(?:"((?:[^"\\]|\\.)*)"?|'([^']*)'?)|\S+/g;

/** Reads a typed line: words are parted by spaces, and quotes hold words together. */
export function readTyped(typed: string): Input {
  const words: Word[] = [];
  for (const found of typed.matchAll(WORD)) {
    const [whole, name = "", double, single] = found;
    const quoted = double?.replaceAll(/\\(.)/g, "$1") ?? single;
    words.push({ text: quoted === undefined ? whole : name + quoted, start: found.index });
  }
  return {
    words: words.map(({ text }) => text),
    rest(from) {
      const first = words[from];
      if (first === undefined) return "";
      return from === words.length - 1 ? first.text : typed.slice(first.start).trimEnd();
    },
  };
}

/** Reads words that a shell has parted already. */
export function readArguments(words: readonly string[]): Input {
  return { words, rest: (from) => words.slice(from).join(" ") };
}

/** The input behind its first word. */
export function behindFirst(input: Input): Input {
  return { words: input.words.slice(1), rest: (from) => input.rest(from + 1) };
}
