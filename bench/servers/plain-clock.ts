import { TICK_MS } from "../world/rules.ts";

/** Calls a function at the tick rate. Ticks that come late are made up for by a shorter wait; beyond one period they are lost. */
export function startClock(onTick: () => void): () => void {
  let due = performance.now() + TICK_MS;
  let timer = setTimeout(tick, TICK_MS);
  function tick(): void {
    onTick();
    const now = performance.now();
    due = Math.max(due + TICK_MS, now - TICK_MS);
    timer = setTimeout(tick, Math.max(0, due - now));
  }
  return () => clearTimeout(timer);
}
