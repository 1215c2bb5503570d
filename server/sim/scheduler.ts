/** How urgent a task is. It decides who goes first, and how long a bare `yield` waits. */
export type Priority = "high" | "normal" | "low";

/** What a task yields: the number of ticks to wait, or nothing for as long as its priority says. */
export type Wait = number | undefined | void;

/** A light task: a generator that yields whenever it has done a little. */
export type TaskBody = Generator<Wait, void, void>;

/** Ticks that a bare `yield` waits. */
export const TICKS_BY_PRIORITY: Readonly<Record<Priority, number>> = { high: 1, normal: 2, low: 5 };
/** Tasks that run in one tick; the rest runs in the next ones, the longest waiting first in time. */
export const MAX_RUNS_PER_TICK = 2_000;
/** Ticks of waiting that lift a task by one priority, so that no task starves. */
export const AGING_TICKS = 10;

const RANK: Readonly<Record<Priority, number>> = { high: 0, normal: 1, low: 2 };

/** A task that the scheduler runs. */
export interface Task {
  readonly name: string;
  readonly priority: Priority;
  /** Ends the task: it does not run again. Does no harm to one that has ended. */
  cancel(): void;
}

/** Runs tasks by the tick. The same tasks added in the same order run in the same order. */
export interface Scheduler {
  /** Adds a task, which runs for the first time in the next tick. Tasks may add and cancel tasks. */
  add(name: string, priority: Priority, body: TaskBody): Task;
  /** Runs what is due at a tick. A task that throws is ended and reported; the others are not disturbed. */
  run(tick: number): void;
  /** Tasks that have not ended. */
  readonly size: number;
}

interface Entry extends Task {
  readonly order: number;
  readonly body: TaskBody;
  dueTick: number;
  ended: boolean;
}

/** A scheduler. `onFailure` is told of each task that threw; `maxRunsPerTick` bounds a tick's work. */
export function createScheduler(options: {
  onFailure: (task: string, error: unknown) => void;
  /** The tick that was stepped last; 0 unless given. */
  startTick?: number;
  maxRunsPerTick?: number;
}): Scheduler {
  const limit = options.maxRunsPerTick ?? MAX_RUNS_PER_TICK;
  /** Tasks by the tick at which they are due; those of a past tick have been waiting. */
  const byTick = new Map<number, Entry[]>();
  let waiting: Entry[] = [];
  let lastTick = options.startTick ?? 0;
  let orders = 0;
  let size = 0;

  function enqueue(entry: Entry, tick: number): void {
    entry.dueTick = tick;
    const list = byTick.get(tick);
    if (list) list.push(entry);
    else byTick.set(tick, [entry]);
  }

  function end(entry: Entry): void {
    if (entry.ended) return;
    entry.ended = true;
    size--;
  }

  function resume(entry: Entry, tick: number): void {
    try {
      const step = entry.body.next();
      if (step.done) end(entry);
      else if (!entry.ended) enqueue(entry, tick + waitTicks(step.value, entry.priority));
    } catch (error) {
      end(entry);
      options.onFailure(entry.name, error);
    }
  }

  return {
    add(name, priority, body) {
      const entry: Entry = {
        name,
        priority,
        body,
        order: orders++,
        dueTick: 0,
        ended: false,
        cancel: () => end(entry),
      };
      size++;
      enqueue(entry, lastTick + 1);
      return entry;
    },
    run(tick) {
      const due = waiting;
      for (let at = lastTick + 1; at <= tick; at++) {
        due.push(...(byTick.get(at) ?? []));
        byTick.delete(at);
      }
      lastTick = tick;
      const urgency = (entry: Entry) =>
        RANK[entry.priority] - Math.floor((tick - entry.dueTick) / AGING_TICKS);
      const ready = due.filter((entry) => !entry.ended);
      ready.sort((a, b) => urgency(a) - urgency(b) || a.dueTick - b.dueTick || a.order - b.order);
      waiting = ready.slice(limit);
      for (const entry of ready.slice(0, limit)) {
        if (!entry.ended) resume(entry, tick);
      }
    },
    get size() {
      return size;
    },
  };
}

function waitTicks(wait: Wait, priority: Priority): number {
  return typeof wait === "number" && wait >= 1 ? Math.floor(wait) : TICKS_BY_PRIORITY[priority];
}
