import { BusVerb } from "../../gen/ts/realmwire/internal/v1/bus_pb.ts";
import type { BusLetter } from "../../gen/ts/realmwire/internal/v1/bus_pb.ts";
import { BusError } from "./bus.ts";
import type { Bus, Lease, Subscription } from "./bus.ts";
import { errorOf, failureLetter } from "./bus-failures.ts";
import { openMail } from "./bus-mail.ts";
import type { BusPort } from "./bus-mail.ts";
import { checkPattern, checkSubject } from "./subject.ts";

type Handler = (payload: Uint8Array, subject: string) => void;
type Responder = (payload: Uint8Array) => Promise<Uint8Array>;
/** What came back: bytes, or that there is nothing. */
type Answer = Uint8Array | undefined;

/** A bus behind a port. */
export interface PortBus extends Bus {
  /** Sends what waits at once, for a thread that is about to end. */
  flush(): void;
}

/**
 * A connection to the bus of another thread, at whose end of the port a gate stands (`openBusGate`). All that is sent in one turn of the
 * event loop goes in one message. What a handler throws goes to `onError`.
 */
export function createPortBus(options: {
  port: BusPort;
  onError: (error: unknown, subject: string) => void;
}): PortBus {
  const handlers = new Map<number, Handler>();
  const responders = new Map<number, Responder>();
  const waiting = new Map<number, PromiseWithResolvers<Answer>>();
  let lastId = 0;
  let state: "created" | "open" | "closed" = "created";
  const mail = openMail(options.port, onLetter);

  function onLetter(letter: BusLetter): void {
    const { verb, id, subject, payload } = letter;
    switch (verb) {
      case BusVerb.PUBLISH:
        hear(id, subject, payload);
        return;
      case BusVerb.REQUEST:
        void answer(letter);
        return;
      case BusVerb.ANSWER:
        settle(id)?.resolve(payload);
        return;
      case BusVerb.NOTHING:
        settle(id)?.resolve(undefined);
        return;
      case BusVerb.FAIL:
        settle(id)?.reject(errorOf(letter));
        return;
      default:
        throw new Error(`the bus sent a letter of kind ${String(verb)}, which is for it to get`);
    }
  }

  function hear(id: number, subject: string, payload: Uint8Array): void {
    try {
      handlers.get(id)?.(payload, subject);
    } catch (error) {
      options.onError(error, subject);
    }
  }

  async function answer({ id, target, payload }: BusLetter): Promise<void> {
    const responder = responders.get(target);
    try {
      if (!responder) throw new BusError("no-responder", "the service has ended");
      mail.send({ verb: BusVerb.ANSWER, id, payload: await responder(payload) });
    } catch (error) {
      mail.send(failureLetter(id, error));
    }
  }

  function settle(id: number): PromiseWithResolvers<Answer> | undefined {
    const found = waiting.get(id);
    waiting.delete(id);
    return found;
  }

  function ask(letter: Parameters<typeof mail.send>[0]): Promise<Answer> {
    const id = ++lastId;
    const answered = Promise.withResolvers<Answer>();
    waiting.set(id, answered);
    mail.send({ ...letter, id });
    return answered.promise;
  }

  function checkOpen(): void {
    if (state === "open") return;
    const why = state === "closed" ? "the bus is closed" : "the bus is not started";
    throw new BusError("closed", why);
  }

  function begin<T>(into: Map<number, T>, verb: BusVerb, subject: string, value: T): Subscription {
    const id = ++lastId;
    into.set(id, value);
    mail.send({ verb, id, subject });
    return {
      close() {
        if (into.delete(id)) mail.send({ verb: BusVerb.END, id });
      },
    };
  }

  function leaseOf(key: string, target: number): Lease {
    return {
      key,
      async renew() {
        checkOpen();
        return (await ask({ verb: BusVerb.RENEW, target })) !== undefined;
      },
      async release() {
        checkOpen();
        await ask({ verb: BusVerb.RELEASE, target });
      },
    };
  }

  return {
    flush: mail.flush,
    async start() {
      if (state === "closed") throw new BusError("closed", "a closed bus cannot be started again");
      state = "open";
    },
    async close() {
      state = "closed";
      for (const id of [...handlers.keys(), ...responders.keys()]) {
        mail.send({ verb: BusVerb.END, id });
      }
      handlers.clear();
      responders.clear();
      for (const { reject } of waiting.values()) {
        reject(new BusError("closed", "the bus was closed before it answered"));
      }
      waiting.clear();
    },
    publish(subject, payload) {
      checkOpen();
      checkSubject(subject);
      mail.send({ verb: BusVerb.PUBLISH, subject, payload });
    },
    subscribe(pattern, handler) {
      checkOpen();
      checkPattern(pattern);
      return begin(handlers, BusVerb.SUBSCRIBE, pattern, handler);
    },
    async request(subject, payload, { timeoutMs }) {
      checkOpen();
      checkSubject(subject);
      const durationMs = Math.ceil(timeoutMs);
      const bytes = await ask({ verb: BusVerb.REQUEST, subject, payload, durationMs });
      return bytes ?? new Uint8Array();
    },
    serve(subject, handler) {
      checkOpen();
      checkSubject(subject);
      return begin(responders, BusVerb.SERVE, subject, handler);
    },
    async acquireLease(key, { value, ttlMs }) {
      checkOpen();
      checkSubject(key);
      if (!(ttlMs > 0)) {
        throw new TypeError(`a lease's time to live is ${ttlMs}, but must be more than 0`);
      }
      const durationMs = Math.ceil(ttlMs);
      const taking = ask({ verb: BusVerb.ACQUIRE, subject: key, payload: value, durationMs });
      const id = lastId;
      return (await taking) && leaseOf(key, id);
    },
    async readLease(key) {
      checkOpen();
      checkSubject(key);
      return await ask({ verb: BusVerb.READ, subject: key });
    },
  };
}
