import type { Place } from "../world/rules.ts";
import type { Crowd, Member } from "./crowd.ts";
import { createSamples } from "./samples.ts";
import type { Samples } from "./samples.ts";

/** Pairs of a player who starts walking and one beside it who watches. */
const MAX_PAIRS = 16;
/** How long a probe stands before it walks again: longer than the world takes to show that it stopped. */
const STAND_MS = 350;
/** Spread of that time, so that probes fall on every moment of a tick. */
const STAND_SPREAD_MS = 200;
/** How long it walks at most before it is stopped again. */
const WALK_MS = 300;
const STOP: Place = { x: 0, y: 0 };

/** Measures how long a Move takes until somebody else sees it. */
export interface Probes {
  /** Players who take no part in the ordinary walking. */
  readonly probers: ReadonlySet<Member>;
  /** Milliseconds from sending a Move to its being seen by somebody else. */
  readonly seen: Samples;
  start(): void;
  stop(): void;
}

type State =
  | { readonly kind: "resting" }
  | { readonly kind: "standing"; readonly from: Place | undefined }
  | { readonly kind: "walking"; readonly sentAt: number; readonly from: Place };

/** Picks pairs out of a crowd: watchers from the sample, and for each of them the one who lives nearest. */
export function createProbes(crowd: Crowd, homes: readonly Place[]): Probes {
  const seen = createSamples();
  const probers = new Set<Member>();
  const pairs: { readonly watcher: Member; readonly prober: Member; state: State }[] = [];
  const timers = new Set<NodeJS.Timeout>();
  const watchers = new Set(
    crowd.members.filter(({ isInSample }) => isInSample).slice(0, MAX_PAIRS),
  );
  const free = crowd.members.filter((member) => !watchers.has(member));
  for (const watcher of watchers) {
    const others = free.filter((member) => !probers.has(member));
    const prober = nearest(others, homes, watcher);
    if (!prober) break;
    probers.add(prober);
    pairs.push({ watcher, prober, state: { kind: "resting" } });
  }
  const pairOf = new Map(pairs.map((pair) => [pair.watcher.player, pair]));

  function later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, ms);
    timers.add(timer);
  }

  function placeOf(pair: (typeof pairs)[number]): Place | undefined {
    return pair.watcher.view?.placeOf(pair.prober.player);
  }

  function stand(pair: (typeof pairs)[number]): void {
    crowd.move(pair.prober.player, STOP);
    pair.state = { kind: "resting" };
    later(STAND_MS - 100, () => {
      pair.state = { kind: "standing", from: placeOf(pair) };
    });
    later(STAND_MS + Math.random() * STAND_SPREAD_MS, () => walk(pair));
  }

  function walk(pair: (typeof pairs)[number]): void {
    const { state, prober } = pair;
    const from = placeOf(pair);
    const stood = state.kind === "standing" && same(state.from, from);
    const now = performance.now();
    if (from && stood && crowd.move(prober.player, prober.walker.next(now))) {
      pair.state = { kind: "walking", sentAt: now, from };
    }
    later(WALK_MS, () => stand(pair));
  }

  return {
    probers,
    seen,
    start() {
      crowd.onSeen = (viewer) => {
        const pair = pairOf.get(viewer);
        if (pair?.state.kind !== "walking" || same(pair.state.from, placeOf(pair))) return;
        seen.add(performance.now() - pair.state.sentAt);
        pair.state = { kind: "resting" };
      };
      for (const pair of pairs) later(Math.random() * STAND_MS, () => stand(pair));
    },
    stop() {
      crowd.onSeen = () => {};
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}

function nearest(
  members: readonly Member[],
  homes: readonly Place[],
  watcher: Member,
): Member | undefined {
  const at = homes[watcher.player] as Place;
  let best: Member | undefined;
  let least = Infinity;
  for (const member of members) {
    const home = homes[member.player] as Place;
    const distance = (home.x - at.x) ** 2 + (home.y - at.y) ** 2;
    if (distance >= least) continue;
    least = distance;
    best = member;
  }
  return best;
}

function same(a: Place | undefined, b: Place | undefined): boolean {
  return a?.x === b?.x && a?.y === b?.y;
}
