import { createSamples } from "../load/samples.ts";
import { openCaller } from "./caller.ts";
import type { Caller } from "./caller.ts";
import { CALLS } from "./order.ts";
import type { CallName, CallResult, Crew, UnaryReady } from "./order.ts";
import { createGet, createRequests, readGet } from "./requests.ts";

/** Connections that call as fast as they are answered. */
export interface RunningCrew {
  /** Begins to count anew. */
  reset(): void;
  /** What was counted; the seconds since `reset` are given. */
  results(seconds: number): CallResult[];
  /** Waits for the last answers. Rejects when a call failed, or when not every Set that was acknowledged was made. */
  stop(): Promise<void>;
}

/** Callers whose first call is made at once. */
const ENTER_AT_ONCE = 8;

/** Brings callers into the world, a few at a time: reading them all at once is no part of what is measured. */
export async function enterAll(port: number, tokens: readonly string[]): Promise<void> {
  for (let first = 0; first < tokens.length; first += ENTER_AT_ONCE) {
    const some = tokens.slice(first, first + ENTER_AT_ONCE);
    await Promise.all(some.map((token) => stepsOf(port, token)));
  }
}

/** Opens the connections of a crew and lets them call. `name` goes into the names of new accounts. */
export async function startCrew(
  people: Omit<UnaryReady, "walkers">,
  crew: Crew,
  name: string,
): Promise<RunningCrew> {
  const groups = await Promise.all(
    CALLS.filter((call) => crew[call] !== undefined).map((call) =>
      startGroup(people, call, crew[call] ?? 0, name),
    ),
  );
  return {
    reset: () => groups.forEach((group) => group.reset()),
    results: (seconds) => groups.map((group) => group.result(seconds)),
    async stop() {
      await Promise.all(groups.map((group) => group.stop()));
    },
  };
}

async function startGroup(
  people: Omit<UnaryReady, "walkers">,
  call: CallName,
  connections: number,
  name: string,
) {
  const { port } = people;
  const times = createSamples();
  let isOver = false;
  let failure: Error | undefined;

  async function callOn(caller: Caller, index: number): Promise<number> {
    const requests = createRequests(call, index, nameOf(people, call, index, name));
    let count = 0;
    while (!isOver) {
      const sentAt = performance.now();
      await caller.ask(requests());
      times.add(performance.now() - sentAt);
      count++;
    }
    return count;
  }

  const running = await Promise.all(
    Array.from({ length: connections }, async (_, index) => {
      const token = tokenOf(people, call, index);
      const before = call === "Set" ? await stepsOf(port, token) : 0;
      const caller = await openCaller(port, call, token);
      const counted = callOn(caller, index).catch((error: unknown) => {
        failure ??= error instanceof Error ? error : new Error(String(error));
        isOver = true;
        return Number.NaN;
      });
      return { caller, token, before, counted };
    }),
  );
  return {
    reset: () => times.clear(),
    result: (seconds: number): CallResult => ({
      call,
      connections,
      perSecond: times.count / seconds,
      p50: times.percentile(0.5),
      p99: times.percentile(0.99),
    }),
    async stop() {
      isOver = true;
      for (const { caller, token, before, counted } of running) {
        const count = await counted;
        caller.close();
        if (call !== "Set" || failure !== undefined) continue;
        const made = (await stepsOf(port, token)) - before;
        if (made !== count) throw new Error(`${count} Sets were acknowledged, ${made} were made`);
      }
      if (failure !== undefined) throw failure;
    },
  };
}

async function stepsOf(port: number, token: string): Promise<number> {
  const caller = await openCaller(port, "Get", token);
  const steps = readGet(await caller.ask(createGet()));
  caller.close();
  return steps;
}

function tokenOf(people: Omit<UnaryReady, "walkers">, call: CallName, index: number): string {
  if (call === "Login" || call === "New") return "";
  return (call === "Edit" ? people.builders : people.callers)[index] ?? "";
}

function nameOf(
  { logins }: Pick<UnaryReady, "logins">,
  call: CallName,
  index: number,
  name: string,
): string {
  return call === "Login" ? (logins[index] ?? "") : name;
}
