import { createScenario } from "../world/scenario.ts";
import type { Scenario } from "../world/scenario.ts";
import type { View } from "./client.ts";
import type { Crowd } from "./crowd.ts";
import type { Order } from "./order.ts";

/** How long joining may take, beyond a while for each player. */
const JOIN_MS = 20_000;
const JOIN_MS_PER_PLAYER = 20;
/** How often it is looked whether all have joined. */
const LOOK_MS = 50;

/** Waits until everybody, standing at home, sees itself and just those who live near enough. Rejects when that does not come. */
export async function verifyJoins(crowd: Crowd, order: Order): Promise<void> {
  const scenario = createScenario(order);
  const deadline = performance.now() + JOIN_MS + order.players * JOIN_MS_PER_PLAYER;
  for (;;) {
    if (crowd.failure) throw new Error(crowd.failure);
    const wrong = crowd.members.find(
      ({ player, view }) => view && !isRight(view, player, scenario, order),
    );
    if (!wrong) return;
    if (performance.now() > deadline) {
      const { least, most } = scenario.seenFromHome(wrong.player);
      const seen = `${wrong.view?.size()} with itself ${wrong.view?.seesItself() ? "" : "not "}among them`;
      throw new Error(
        `player ${wrong.player} should see ${least} to ${most} players, sees ${seen}`,
      );
    }
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_MS);
    });
  }
}

function isRight(view: View, player: number, scenario: Scenario, order: Order): boolean {
  if (!view.seesItself()) return false;
  if (order.seesAll) return view.size() === order.players;
  const { least, most } = scenario.seenFromHome(player);
  return view.size() >= least && view.size() <= most;
}
