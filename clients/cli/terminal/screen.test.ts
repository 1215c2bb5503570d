import { expect, test } from "vitest";
import { createScreen } from "./screen.ts";

function createRecorder() {
  let text = "";
  return {
    write: (part: string) => (text += part),
    take: () => {
      const taken = text;
      text = "";
      return taken;
    },
  };
}

test("only rows that changed are written, and nothing where nothing changed", () => {
  const output = createRecorder();
  const screen = createScreen(output);
  screen.open();
  screen.show(["one", "two"]);
  output.take();
  screen.show(["one", "two"]);
  expect(output.take()).toBe("");
  screen.show(["one", "other"]);
  const written = output.take();
  expect(written).toContain("\u001B[2;1H\u001B[Kother");
  expect(written).not.toContain("one");
});

test("the cursor is put back behind what is written, and hidden without a place", () => {
  const output = createRecorder();
  const screen = createScreen(output);
  screen.open();
  screen.show(["a"], { row: 0, column: 1 });
  expect(output.take().endsWith("\u001B[1;2H\u001B[?25h")).toBe(true);
  screen.show(["a"]);
  expect(output.take()).toBe("\u001B[?25l");
});

test("after a change of size everything is written anew", () => {
  const output = createRecorder();
  const screen = createScreen(output);
  screen.open();
  screen.show(["a"]);
  output.take();
  screen.forget();
  screen.show(["a"]);
  expect(output.take()).toContain("a");
});

test("the terminal is given back once, as it was", () => {
  const output = createRecorder();
  const screen = createScreen(output);
  screen.close();
  expect(output.take()).toBe("");
  screen.open();
  expect(output.take()).toContain("\u001B[?1049h");
  screen.close();
  const closing = output.take();
  for (const restored of ["?7h", "?25h", "?1049l"]) expect(closing).toContain(restored);
  screen.close();
  screen.show(["late"]);
  expect(output.take()).toBe("");
});
