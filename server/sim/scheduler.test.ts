import { describe, expect, it } from "vitest";
import { AGING_TICKS, TICKS_BY_PRIORITY, createScheduler } from "./scheduler.ts";
import type { Priority, Task, TaskBody, Wait } from "./scheduler.ts";

function createRuns(maxRunsPerTick?: number) {
  const failures: string[] = [];
  const runs: string[] = [];
  let tick = 0;
  const scheduler = createScheduler({
    onFailure: (task, error) => failures.push(`${task}: ${(error as Error).message}`),
    ...(maxRunsPerTick === undefined ? {} : { maxRunsPerTick }),
  });
  function* endless(name: string, wait?: Wait): TaskBody {
    for (;;) {
      runs.push(name);
      yield wait;
    }
  }
  return {
    scheduler,
    failures,
    runs,
    add: (name: string, priority: Priority, wait?: Wait) =>
      scheduler.add(name, priority, endless(name, wait)),
    count: (name: string) => runs.filter((run) => run === name).length,
    run(ticks: number) {
      for (let i = 0; i < ticks; i++) scheduler.run(++tick);
    },
  };
}

describe("[PY-13] the scheduler", () => {
  it("runs a task of low priority less often, and the urgent ones first", () => {
    const { add, count, run, runs } = createRuns();
    add("low", "low");
    add("high", "high");
    add("normal", "normal");
    run(1);
    expect(runs).toEqual(["high", "normal", "low"]);
    run(99);
    for (const name of ["high", "normal", "low"] as const) {
      expect(count(name), name).toBe(100 / TICKS_BY_PRIORITY[name]);
    }
  });

  it("wakes a task after as many ticks as it yields, at least one", () => {
    const { add, count, run } = createRuns();
    add("seven", "high", 7);
    add("nothing", "high", 0);
    add("fraction", "low", 1.9);
    run(70);
    expect(["seven", "nothing", "fraction"].map(count)).toEqual([10, 70, 70]);
  });

  it("starves nobody under overload", () => {
    const { add, count, run } = createRuns(4);
    for (let i = 0; i < 12; i++) add(`high-${i}`, "high");
    add("low", "low");
    run(1000);
    // It waits until it has aged into the first rank, and then for those before it.
    expect(count("low")).toBeGreaterThan(1000 / (TICKS_BY_PRIORITY.low + 3 * AGING_TICKS));
    const high = Array.from({ length: 12 }, (_, i) => count(`high-${i}`));
    // Equals share alike, but for the turns that the last of them gives up to the low one.
    expect(Math.min(...high)).toBeGreaterThan(0.9 * Math.max(...high));
  });

  it("lets tasks add and cancel tasks, also themselves, and one that has not begun", () => {
    const { scheduler, add, count, run } = createRuns();
    const victim = add("victim", "high");
    const tasks: Task[] = [];
    function* master(): TaskBody {
      yield 2;
      victim.cancel();
      const stillborn = add("stillborn", "high");
      stillborn.cancel();
      stillborn.cancel();
      tasks.push(add("child", "high"));
      yield 3;
      tasks[0]?.cancel();
      self.cancel();
      yield 1;
      throw new Error("runs after its end");
    }
    const self = scheduler.add("master", "high", master());
    run(20);
    expect(["victim", "stillborn", "child"].map(count)).toEqual([3, 0, 2]);
    expect(scheduler.size).toBe(0);
  });

  it("ends a task that throws, reports it by name and disturbs no other", () => {
    const { scheduler, failures, add, count, run } = createRuns();
    function* broken(): TaskBody {
      yield 1;
      throw new Error("oh");
    }
    scheduler.add("broken", "high", broken());
    add("other", "normal");
    run(10);
    expect(failures).toEqual(["broken: oh"]);
    expect(count("other")).toBe(5);
    expect(scheduler.size).toBe(1);
  });

  it("counts from the tick at which it was begun", () => {
    const runs: number[] = [];
    const scheduler = createScheduler({ onFailure: () => {}, startTick: 100 });
    function* body(): TaskBody {
      for (;;) {
        runs.push(1);
        yield 1;
      }
    }
    scheduler.add("a", "high", body());
    scheduler.run(101);
    scheduler.run(102);
    expect(runs).toHaveLength(2);
  });
});
