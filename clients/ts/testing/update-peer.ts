import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { WorldService } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import type { UpdateResponseSchema } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { startScriptedPeer } from "./scripted-peer.ts";
import type { ScriptedPeer } from "./scripted-peer.ts";

/** One Update call that a client makes, answered by the test. */
export interface UpdateCall {
  readonly cursor: string;
  readonly once: boolean;
  readonly authorization: string | null;
  /** Whether the client has gone away. */
  readonly isAborted: boolean;
  send(message: MessageInitShape<typeof UpdateResponseSchema>): void;
  fail(error: Error): void;
  end(): void;
}

/** A peer whose Update calls a test answers one by one. */
export interface UpdatePeer extends ScriptedPeer {
  /** All calls so far. */
  readonly calls: readonly UpdateCall[];
  /** Waits for the call with this number, counted from 0. */
  call(index: number): Promise<UpdateCall>;
}

type Step = () => MessageInitShape<typeof UpdateResponseSchema> | undefined;

/** Starts a peer that offers Update, and further services if given. */
export async function startUpdatePeer(
  moreRoutes: (router: ConnectRouter) => void = () => {},
): Promise<UpdatePeer> {
  const calls: UpdateCall[] = [];
  let wake = (): void => {};
  const peer = await startScriptedPeer((router) => {
    moreRoutes(router);
    router.rpc(WorldService.method.update, async function* (request, context) {
      const steps: Step[] = [];
      let wakeCall = (): void => {};
      const add = (step: Step): void => {
        steps.push(step);
        wakeCall();
      };
      context.signal.addEventListener("abort", () => wakeCall());
      calls.push({
        cursor: request.cursor,
        once: request.once,
        authorization: context.requestHeader.get("authorization"),
        get isAborted() {
          return context.signal.aborted;
        },
        send: (message) => add(() => message),
        end: () => add(() => undefined),
        fail: (error) =>
          add(() => {
            throw error;
          }),
      });
      wake();
      while (!context.signal.aborted) {
        const step = steps.shift();
        if (step === undefined) {
          await new Promise<void>((resolve) => (wakeCall = resolve));
          continue;
        }
        const message = step();
        if (message === undefined) return;
        yield message;
      }
    });
  });
  return {
    ...peer,
    calls,
    async call(index) {
      for (;;) {
        const call = calls[index];
        if (call) return call;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
