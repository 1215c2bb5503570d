import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { flushOutbox, writeSoon } from "./outbox.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const textIn = (target: PassThrough) => (target.read() as Buffer | null)?.toString("latin1") ?? "";

test("pieces are written behind the work of a turn, in the order in which they came", async () => {
  const [one, other] = [new PassThrough(), new PassThrough()];
  const written: string[] = [];
  const sender = (name: string) => ({ onWritten: () => void written.push(name) });
  writeSoon(one, "first ", sender("one"));
  writeSoon(other, Buffer.of(0xe9), sender("other"));
  writeSoon(one, "secönd", sender("one again"));
  expect([one.readableLength, other.readableLength]).toEqual([0, 0]);
  await turn();
  expect(textIn(one)).toBe("first secönd");
  expect(textIn(other)).toBe("é");
  expect(written).toEqual(["one", "other", "one again"]);
});

test("who cannot wait has them written at once, and nothing twice", async () => {
  const target = new PassThrough();
  writeSoon(target, "soon, ");
  flushOutbox();
  target.write("now, ");
  writeSoon(target, "later");
  await turn();
  await turn();
  expect(textIn(target)).toBe("soon, now, later");
});

test("a sender that is told may write more, and flush", async () => {
  const target = new PassThrough();
  const again = {
    onWritten() {
      writeSoon(target, "c");
      flushOutbox();
      target.write("d");
      writeSoon(target, "e");
    },
  };
  writeSoon(target, "a", again);
  writeSoon(target, "b");
  await turn();
  expect(textIn(target)).toBe("abcde");
});

test("a piece for a closed connection is dropped, and its sender told", async () => {
  const [closed, open] = [new PassThrough(), new PassThrough()];
  let told = 0;
  writeSoon(closed, "x", { onWritten: () => void told++ });
  writeSoon(open, "y");
  closed.destroy();
  await turn();
  expect(told).toBe(1);
  expect(textIn(open)).toBe("y");
});

test("a sender that throws does not keep the others waiting", async () => {
  const target = new PassThrough();
  const thrown = new Promise<unknown>((resolve) => process.once("uncaughtException", resolve));
  const broken = {
    onWritten() {
      throw new Error("broken");
    },
  };
  writeSoon(target, "a", broken);
  writeSoon(target, "b");
  await turn();
  await turn();
  await turn();
  expect(textIn(target)).toBe("ab");
  await thrown;
});
