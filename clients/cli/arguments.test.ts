import { expect, test } from "vitest";
import { readArguments } from "./arguments.ts";
import { UsageError } from "./errors.ts";

const read = (argv: string[], env: NodeJS.ProcessEnv = {}) => {
  const result = readArguments(argv, env);
  if (result.kind !== "arguments") throw new Error("this is a text");
  return result.arguments;
};

test("the server comes from --url, else from REALMWIRE_URL, else it is this machine's", () => {
  expect(read([]).url).toBe("http://localhost:8080");
  expect(read([], { REALMWIRE_URL: "http://a:1/" }).url).toBe("http://a:1");
  expect(read(["--url", "https://b/game/"], { REALMWIRE_URL: "http://a:1" }).url).toBe(
    "https://b/game",
  );
});

test("what follows the command is the command's", () => {
  const { words, json } = read(["--json", "set", "gold", "-=", "5"]);
  expect([json, words]).toEqual([true, ["set", "gold", "-=", "5"]]);
  expect(read(["say", "--", "--json"]).words).toEqual(["say", "--", "--json"]);
  expect(read(["say", "-5 degrees"]).words).toEqual(["say", "-5 degrees"]);
});

test("a wrong command line says what is wrong with it", () => {
  const wrong = (...argv: string[]) => expect(() => read(argv)).toThrow(UsageError);
  wrong("--url", "ftp://host");
  wrong("--url", "localhost");
  wrong("--nonsense");
  wrong("--url");
  expect(() => read(["say", "hi", "--json"])).toThrow("--json is an option and stands before");
});

test("--help says how to use it, with its exit codes", () => {
  const help = readArguments(["--help"], {});
  if (help.kind !== "text") throw new Error("--help is no text");
  for (const part of [
    "--url",
    "--json",
    "NO_COLOR",
    "REALMWIRE_PASSWORD",
    "Exit codes",
    "XDG_STATE_HOME",
  ]) {
    expect(help.text).toContain(part);
  }
});
