import { BusVerb } from "../../gen/ts/realmwire/internal/v1/bus_pb.ts";
import type { BusLetter } from "../../gen/ts/realmwire/internal/v1/bus_pb.ts";
import { BusError } from "./bus.ts";
import type { Bus, Lease, Subscription } from "./bus.ts";
import { errorOf, failureLetter } from "./bus-failures.ts";
import { openMail } from "./bus-mail.ts";
import type { BusPort } from "./bus-mail.ts";

const NO_BYTES = new Uint8Array();

/** Where another thread comes onto the bus of this one. */
export interface BusGate {
  /** The other thread is gone or about to be: all that it began ends, and what it was asked fails. Its leases stay until their time is over. */
  close(): void;
}

/**
 * Opens a gate onto a bus for the thread at the other end of a port, which has a `createPortBus` there. What the thread
 * sends and the bus does not take goes to `onError`.
 */
export function openBusGate(options: {
  port: BusPort;
  bus: Bus;
  onError: (error: unknown, subject: string) => void;
}): BusGate {
  const { bus } = options;
  const begun = new Map<number, Subscription>();
  const leases = new Map<number, Lease>();
  const calls = new Map<number, PromiseWithResolvers<Uint8Array>>();
  let lastCall = 0;
  const mail = openMail(options.port, onLetter);

  function onLetter(letter: BusLetter): void {
    const { verb, id, subject, payload } = letter;
    switch (verb) {
      case BusVerb.ANSWER:
        settle(id)?.resolve(payload);
        return;
      case BusVerb.FAIL:
        settle(id)?.reject(errorOf(letter));
        return;
      case BusVerb.PUBLISH:
      case BusVerb.SUBSCRIBE:
      case BusVerb.SERVE:
      case BusVerb.END:
        try {
          carryOut(letter);
        } catch (error) {
          options.onError(error, subject);
        }
        return;
      default:
        find(letter).then(
          (found) => mail.send(found ? { verb: BusVerb.ANSWER, id, payload: found } : nothing(id)),
          (error: unknown) => mail.send(failureLetter(id, error)),
        );
    }
  }

  function carryOut({ verb, id, subject, payload }: BusLetter): void {
    if (verb === BusVerb.PUBLISH) {
      bus.publish(subject, payload);
    } else if (verb === BusVerb.SUBSCRIBE) {
      const forward = (bytes: Uint8Array, on: string) =>
        mail.send({ verb: BusVerb.PUBLISH, id, subject: on, payload: bytes });
      begun.set(id, bus.subscribe(subject, forward));
    } else if (verb === BusVerb.SERVE) {
      begun.set(
        id,
        bus.serve(subject, (bytes) => call(id, bytes)),
      );
    } else {
      begun.get(id)?.close();
      begun.delete(id);
    }
  }

  function call(target: number, payload: Uint8Array): Promise<Uint8Array> {
    const id = ++lastCall;
    const answered = Promise.withResolvers<Uint8Array>();
    calls.set(id, answered);
    mail.send({ verb: BusVerb.REQUEST, id, target, payload });
    return answered.promise;
  }

  function settle(id: number): PromiseWithResolvers<Uint8Array> | undefined {
    const found = calls.get(id);
    calls.delete(id);
    return found;
  }

  /** What the bus says to a question; undefined: nothing, or no. */
  async function find(letter: BusLetter): Promise<Uint8Array | undefined> {
    const { verb, id, subject, payload, durationMs, target } = letter;
    switch (verb) {
      case BusVerb.REQUEST:
        return await bus.request(subject, payload, { timeoutMs: durationMs });
      case BusVerb.READ:
        return await bus.readLease(subject);
      case BusVerb.ACQUIRE: {
        const lease = await bus.acquireLease(subject, { value: payload, ttlMs: durationMs });
        if (lease) leases.set(id, lease);
        return lease && NO_BYTES;
      }
      case BusVerb.RENEW: {
        const kept = (await leases.get(target)?.renew()) ?? false;
        if (!kept) leases.delete(target);
        return kept ? NO_BYTES : undefined;
      }
      case BusVerb.RELEASE:
        await leases.get(target)?.release();
        leases.delete(target);
        return NO_BYTES;
      default:
        throw new BusError("failed", `a thread asked for ${String(verb)}`);
    }
  }

  return {
    close() {
      for (const subscription of begun.values()) subscription.close();
      begun.clear();
      for (const { reject } of calls.values()) reject(new BusError("closed", "the thread ended"));
      calls.clear();
      mail.close();
    },
  };
}

function nothing(id: number) {
  return { verb: BusVerb.NOTHING, id };
}
