import { EntityKind } from "../../gen/ts/realmwire/v1/entity_pb.ts";
import { MoveRefusal } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { Self } from "./kind.ts";
import type { Place } from "./movement.ts";
import { standsFree } from "./movement.ts";
import type { Scheduler } from "./scheduler.ts";
import { speak } from "./talk.ts";
import { stopWalking, walkTo } from "./walking.ts";
import { actorsWithin, component, placeOf, updateComponent } from "./world.ts";
import type { Actor, World } from "./world.ts";

/** Calls that a behaviour may make between two yields. One that makes more is ended. */
export const MAX_CALLS_PER_STEP = 500;
/** Places that a stroll tries before it stays where it is. */
const STROLL_TRIES = 8;

/** Begins the behaviour of an entity, if its kind has one. It ends with the entity. */
export function startBehaviour(
  world: World,
  scheduler: Scheduler,
  actor: Actor,
  kindName: string,
): void {
  const kind = world.kinds.get(kindName);
  if (!kind?.run) return;
  const budget = { calls: 0 };
  const body = kind.run(createSelf(world, actor, budget));
  const name = `${kindName} ${actor.name}`;
  const task = scheduler.add(name, kind.priority ?? "normal", guarded());

  function* guarded(): Generator<number | undefined | void, void, void> {
    for (;;) {
      if (world.bySlot[actor.slot] !== actor) return task.cancel();
      budget.calls = 0;
      const step = body.next();
      if (step.done) return;
      yield step.value;
    }
  }
}

/** Lets the kinds of those who heard something answer. A kind that throws is reported by name and disturbs nobody. */
export function letHear(
  world: World,
  speaker: Actor,
  text: string,
  listeners: readonly Actor[],
  kindOf: (actor: Actor) => string,
  onFailure: (task: string, error: unknown) => void,
): void {
  for (const listener of listeners) {
    const kindName = kindOf(listener);
    const kind = world.kinds.get(kindName);
    if (listener === speaker || !kind?.onHear) continue;
    try {
      kind.onHear(createSelf(world, listener, { calls: 0 }), speaker.name, text);
    } catch (error) {
      onFailure(`${kindName} ${listener.name}`, error);
    }
  }
}

function createSelf(world: World, actor: Actor, budget: { calls: number }): Self {
  const spend = () => {
    if (++budget.calls > MAX_CALLS_PER_STEP) {
      throw new Error(`more than ${MAX_CALLS_PER_STEP} calls without a yield`);
    }
  };
  const say = (text: string) => {
    spend();
    speak(world, actor, text, false);
  };
  const go = (place: Place) => {
    spend();
    return walkTo(world, actor, place) === MoveRefusal.UNSPECIFIED;
  };
  return {
    name: actor.name,
    get position() {
      spend();
      return placeOf(world, actor);
    },
    get walking() {
      spend();
      return actor.walk.kind !== "still";
    },
    wait: (seconds) => Math.max(1, Math.round(seconds * world.tickRateHz)),
    say,
    sayOneOf: (texts) => say(world.random.pick(texts)),
    walkTo: go,
    stroll(distance, home) {
      spend();
      const centre = home ?? placeOf(world, actor);
      for (let i = 0; i < STROLL_TRIES; i++) {
        const x = centre.x + (world.random.next() * 2 - 1) * distance;
        const y = centre.y + (world.random.next() * 2 - 1) * distance;
        if (standsFree(world.map, x, y, actor.radius) && go({ x, y })) return true;
      }
      return false;
    },
    stop() {
      spend();
      stopWalking(world, actor);
    },
    get(schema) {
      spend();
      return component(world, actor, schema);
    },
    set(schema, fields) {
      spend();
      updateComponent(world, actor, schema, fields);
    },
    charactersWithin(distance) {
      spend();
      const { x, y } = placeOf(world, actor);
      const far = (other: Actor) => {
        const place = placeOf(world, other);
        const dx = place.x - x;
        const dy = place.y - y;
        return dx * dx + dy * dy;
      };
      return actorsWithin(world, x, y, distance)
        .filter((other) => other.kind === EntityKind.CHARACTER && other !== actor)
        .sort((a, b) => far(a) - far(b) || a.id - b.id)
        .map((other) => other.name);
    },
    placeOf(name) {
      spend();
      const other = world.actors.get(name);
      return other && placeOf(world, other);
    },
    random() {
      spend();
      return world.random.next();
    },
    pick(items) {
      spend();
      return world.random.pick(items);
    },
  };
}
