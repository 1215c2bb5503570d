import type { World } from "../ts/index.ts";
import { distanceBetween } from "./language/match.ts";
import { formatPlace } from "./language/values.ts";

/** As near as this to a place, in tiles, is there. */
const ARRIVED_TILES = 0.1;
/** As near as this to something that fills its place, in tiles, is beside it. */
const BESIDE_TILES = 1.5;
/** Who stands for so long, in milliseconds of messages, has ended the walk, wherever that is. */
const STANDING_MS = 600;
/** How often it is looked at, in milliseconds. */
const LOOK_MS = 100;
/** The longest walk that is waited for, in milliseconds: 256 tiles at a stroll. */
const MAX_WALK_MS = 180_000;

/** How a walk ended. */
export interface Arrival {
  readonly arrived: boolean;
  readonly position: { readonly x: number; readonly y: number };
  readonly text: string;
}

/** Watches the walks of one character: the last one only. */
export interface Walks {
  /**
   * Resolves when the character is at a place, stands elsewhere, left the zone, or after three minutes; never, when another walk or
   * {@link Walks.forget} comes in between. Rejects when the world is closed.
   */
  follow(world: World, place: { readonly x: number; readonly y: number }): Promise<Arrival>;
  /** Forgets the walk that is watched. */
  forget(): void;
}

/** Creates a watch over nothing. */
export function createWalks(): Walks {
  let forget = (): void => {};
  return {
    follow(world, place) {
      forget();
      return new Promise((resolve, reject) => {
        const look = createLook(world, place);
        const timer = setInterval(() => {
          if (world.state.kind === "closed") {
            forget();
            return reject(new Error("the world is closed"));
          }
          const outcome = look();
          if (outcome === undefined) return;
          forget();
          resolve(outcome);
        }, LOOK_MS);
        forget = () => clearInterval(timer);
      });
    },
    forget: () => forget(),
  };
}

/** Looks once in {@link LOOK_MS}; undefined as long as the walk goes on. */
function createLook(
  { view }: World,
  place: { readonly x: number; readonly y: number },
): () => Arrival | undefined {
  const zone = view.scene?.zone;
  let standingMs = 0;
  let walkedMs = 0;
  return () => {
    const { self, scene } = view;
    if (self === undefined || scene === undefined) return undefined;
    const { x, y } = self.position;
    const at = `at ${formatPlace({ x, y })}`;
    const outcome = (text: string, arrived: boolean): Arrival => ({
      text,
      arrived,
      position: { x, y },
    });
    walkedMs += LOOK_MS;
    standingMs = self.velocity.x === 0 && self.velocity.y === 0 ? standingMs + LOOK_MS : 0;
    if (scene.zone !== zone) return outcome(`You are in ${scene.zone} now, ${at}.`, true);
    const isThere = distanceBetween(self.position, place) <= ARRIVED_TILES;
    if (isThere && standingMs > 0) return outcome(`You are there, ${at}.`, true);
    if (standingMs >= STANDING_MS && distanceBetween(self.position, place) <= BESIDE_TILES) {
      return outcome(`You are as near as can be, ${at}.`, true);
    }
    if (standingMs >= STANDING_MS) return outcome(`You stand ${at}: no nearer by this way.`, false);
    if (walkedMs >= MAX_WALK_MS) return outcome(`You are still walking, ${at}.`, false);
    return undefined;
  };
}
