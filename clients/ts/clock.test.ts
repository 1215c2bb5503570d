import { expect, test } from "vitest";
import { createSystemClock } from "./clock.ts";

test("time passes and a timer runs once, unless it is taken back", async () => {
  const clock = createSystemClock();
  const begin = clock.now();
  const ran: string[] = [];
  const cancel = clock.after(5, () => ran.push("cancelled"));
  await new Promise<void>((resolve) => {
    clock.after(20, () => {
      ran.push("kept");
      resolve();
    });
    cancel();
  });
  expect(ran).toEqual(["kept"]);
  expect(clock.now() - begin).toBeGreaterThanOrEqual(15);
});
