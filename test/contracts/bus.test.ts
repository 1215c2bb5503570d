import { createLocalBus } from "../../server/bus/local-bus.ts";
import { type BusHarness, describeBus } from "./bus-contract.ts";

describeBus("the local bus", async (): Promise<BusHarness> => {
  const errors: { error: unknown; subject: string }[] = [];
  let nowMs = 0;
  const a = createLocalBus({
    onError: (error, subject) => errors.push({ error, subject }),
    now: () => nowMs,
  });
  const b = a.connect();
  await a.start();
  await b.start();
  return {
    a,
    b,
    errors,
    settle: async () => {},
    advance: async (ms) => {
      nowMs += ms;
    },
    close: async () => {
      await a.close();
      await b.close();
    },
  };
});
