import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Bus, BusError, type Subscription } from "../../server/bus/bus.ts";

/** A bus to be put to the test, with what a test needs to know of it. */
export interface BusHarness {
  /** Two connections to the same bus, both started: two nodes. */
  readonly a: Bus;
  readonly b: Bus;
  /** What was given to `onError` of either one. */
  readonly errors: readonly { readonly error: unknown; readonly subject: string }[];
  /** Resolves when subscriptions that were begun or ended are known on both sides. */
  settle(): Promise<void>;
  /** Lets time pass for leases. Buses on a real clock wait, so the contract asks for few seconds. */
  advance(ms: number): Promise<void>;
  /** Closes what the harness opened. The buses may be closed already. */
  close(): Promise<void>;
}

/** Time to live of the leases here: real ones are kept in whole seconds. */
const TTL_MS = 2_000;
/** For requests that are expected to be answered. */
const PATIENT = { timeoutMs: 5_000 };

/** The rules of `Bus`, for every implementation. Delivery may take time; nothing here waits a fixed time for it. */
export function describeBus(name: string, makeBus: () => Promise<BusHarness>): void {
  describe(name, () => {
    let bus: BusHarness;
    beforeEach(async () => {
      bus = await makeBus();
    });
    afterEach(async () => {
      await bus.close();
    });
    const current = () => bus;
    describe("publish and subscribe", () => {
      describeDelivery(current);
    });
    describe("patterns", () => {
      describePatterns(current);
    });
    describe("request and serve", () => {
      describeRequests(current);
    });
    describe("leases", () => {
      describeLeases(current);
    });
    describe("close", () => {
      describeClose(current);
    });
  });
}

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

/** Subscribes and keeps what comes, as `subject=payload`. */
function listen(bus: Bus, pattern: string): { heard: string[]; subscription: Subscription } {
  const heard: string[] = [];
  const subscription = bus.subscribe(pattern, (payload, subject) => {
    heard.push(`${subject}=${decode(payload)}`);
  });
  return { heard, subscription };
}

function kindOf(error: unknown): string {
  return error instanceof BusError ? error.kind : `not a BusError: ${String(error)}`;
}

async function kindOfRejection(promise: Promise<unknown>): Promise<string> {
  return promise.then((value) => `resolved to ${String(value)}`, kindOf);
}

function describeDelivery(current: () => BusHarness): void {
  test("a message reaches all subscribers, on both connections", async () => {
    const { a, b, settle } = current();
    const ears = [listen(a, "town.frame"), listen(b, "town.frame"), listen(b, "town.frame")];
    await settle();
    a.publish("town.frame", encode("1"));
    for (const { heard } of ears) await expect.poll(() => heard).toEqual(["town.frame=1"]);
  });

  test("messages of one publisher on one subject arrive in order", async () => {
    const { a, b, settle } = current();
    const { heard } = listen(b, "count");
    await settle();
    const expected = Array.from({ length: 500 }, (_, i) => `count=${i}`);
    for (let i = 0; i < 500; i++) a.publish("count", encode(String(i)));
    await expect.poll(() => heard.length).toBe(500);
    expect(heard).toEqual(expected);
  });

  test("also when a handler publishes on the subject that it hears", async () => {
    const { a, b, settle } = current();
    a.subscribe("step", (payload) => {
      if (decode(payload) === "1") a.publish("step", encode("2"));
    });
    const ears = [listen(a, "step"), listen(b, "step")];
    await settle();
    a.publish("step", encode("1"));
    for (const { heard } of ears) await expect.poll(() => heard).toEqual(["step=1", "step=2"]);
  });

  test("a closed subscription hears nothing more, and closing twice does no harm", async () => {
    const { a, b, settle } = current();
    const closed = listen(b, "news");
    const open = listen(b, "news");
    closed.subscription.close();
    closed.subscription.close();
    await settle();
    a.publish("news", encode("x"));
    await expect.poll(() => open.heard).toEqual(["news=x"]);
    expect(closed.heard).toEqual([]);
  });

  test("a handler that throws is reported and disturbs nobody else", async () => {
    const { a, settle, errors } = current();
    const broken = new Error("broken");
    a.subscribe("news", () => {
      throw broken;
    });
    const { heard } = listen(a, "news");
    await settle();
    a.publish("news", encode("1"));
    a.publish("news", encode("2"));
    await expect.poll(() => heard).toEqual(["news=1", "news=2"]);
    await expect
      .poll(() => errors)
      .toEqual([
        { error: broken, subject: "news" },
        { error: broken, subject: "news" },
      ]);
  });

  test("a payload of no bytes arrives", async () => {
    const { a, b, settle } = current();
    const { heard } = listen(b, "empty");
    await settle();
    a.publish("empty", new Uint8Array(0));
    await expect.poll(() => heard).toEqual(["empty="]);
  });

  test.each(["", ".", "a.", ".a", "a..b", "a b", "a.*", "*", "a.>", "a/b", "x".repeat(256)])(
    "%j is refused as a subject",
    async (subject) => {
      const { a } = current();
      const payload = encode("x");
      expect(() => a.publish(subject, payload)).toThrow(TypeError);
      expect(() => a.serve(subject, async () => payload)).toThrow(TypeError);
      await expect(a.request(subject, payload, PATIENT)).rejects.toThrow(TypeError);
      await expect(a.readLease(subject)).rejects.toThrow(TypeError);
    },
  );
}

function describePatterns(current: () => BusHarness): void {
  const subjects = ["zone", "zone.town", "zone.town.frame", "zone.wood.frame", "node.town.frame"];
  test.each([
    ["zone", ["zone"]],
    ["zone.town", ["zone.town"]],
    ["*", ["zone"]],
    ["zone.*", ["zone.town"]],
    ["zone.*.frame", ["zone.town.frame", "zone.wood.frame"]],
    ["*.town.*", ["zone.town.frame", "node.town.frame"]],
    ["zone.>", ["zone.town", "zone.town.frame", "zone.wood.frame"]],
    ["*.*.>", ["zone.town.frame", "zone.wood.frame", "node.town.frame"]],
    [">", subjects],
  ])("%s", async (pattern, expected) => {
    const { a, b, settle } = current();
    const { heard } = listen(b, pattern);
    // What is published last tells that nothing more can come. It matches only where all match.
    const { heard: end } = listen(b, "the.end.of.it.all");
    await settle();
    for (const subject of subjects) a.publish(subject, encode("1"));
    a.publish("the.end.of.it.all", encode("1"));
    await expect.poll(() => end.length).toBe(1);
    await expect
      .poll(() => heard.filter((message) => !message.startsWith("the.end")))
      .toEqual(expected.map((subject) => `${subject}=1`));
  });

  test("patterns that overlap are told apart, also after one has ended", async () => {
    const { a, settle } = current();
    const first = listen(a, "zone.*");
    const second = listen(a, "zone.town");
    const third = listen(a, "zone.>");
    first.subscription.close();
    await settle();
    a.publish("zone.town", encode("1"));
    await expect.poll(() => third.heard).toEqual(["zone.town=1"]);
    await expect.poll(() => second.heard).toEqual(["zone.town=1"]);
    expect(first.heard).toEqual([]);
  });

  test.each(["", "a.", "a.>.b", ">.a", "a*", "a.b>", "a..>", "a b"])(
    "%j is refused as a pattern",
    (pattern) => {
      expect(() => current().a.subscribe(pattern, () => {})).toThrow(TypeError);
    },
  );
}

function describeRequests(current: () => BusHarness): void {
  test("the answer comes back, from the other connection and from the own one", async () => {
    const { a, b, settle } = current();
    b.serve("zone.town.ask", async (payload) => encode(`town heard ${decode(payload)}`));
    await settle();
    for (const bus of [a, b]) {
      const answer = await bus.request("zone.town.ask", encode("hello"), PATIENT);
      expect(decode(answer)).toBe("town heard hello");
    }
  });

  test("nobody serves the subject: no-responder, long before the timeout", async () => {
    const { a, b, settle } = current();
    const served = b.serve("ask", async (payload) => payload);
    served.close();
    await settle();
    const started = performance.now();
    const asked = a.request("ask", encode("x"), { timeoutMs: 20_000 });
    expect(await kindOfRejection(asked)).toBe("no-responder");
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test("no answer in time: timeout, and the late answer harms nobody", async () => {
    const { a, b, settle } = current();
    let answerLate = (_answer: Uint8Array) => {};
    b.serve("slow", () => new Promise((resolve) => (answerLate = resolve)));
    b.serve("quick", async () => encode("here"));
    await settle();
    expect(await kindOfRejection(a.request("slow", encode("x"), { timeoutMs: 50 }))).toBe(
      "timeout",
    );
    answerLate(encode("late"));
    expect(decode(await a.request("quick", encode("x"), PATIENT))).toBe("here");
  });

  test("the handler rejects: failed, with its message", async () => {
    const { a, b, settle } = current();
    b.serve("ask", async () => {
      throw new Error("the bridge is out");
    });
    await settle();
    const asked = a.request("ask", encode("x"), PATIENT);
    await expect(asked).rejects.toThrow("the bridge is out");
    expect(await kindOfRejection(asked)).toBe("failed");
  });

  test("the handler throws before it has a promise: failed too", async () => {
    const { a, b, settle } = current();
    b.serve("ask", () => {
      throw new Error("at once");
    });
    await settle();
    expect(await kindOfRejection(a.request("ask", encode("x"), PATIENT))).toBe("failed");
  });

  test("each request reaches one of several who serve the subject, and all get some", async () => {
    const { a, b, settle } = current();
    const asked = [0, 0, 0];
    [a, b, b].forEach((bus, i) => {
      bus.serve("work", async (payload) => {
        asked[i] = (asked[i] ?? 0) + 1;
        return payload;
      });
    });
    await settle();
    const answers = await Promise.all(
      Array.from({ length: 90 }, (_, i) => a.request("work", encode(String(i)), PATIENT)),
    );
    expect(answers.map(decode)).toEqual(Array.from({ length: 90 }, (_, i) => String(i)));
    expect(asked.reduce((sum, count) => sum + count)).toBe(90);
    expect(Math.min(...asked)).toBeGreaterThan(0);
  });

  test("when one of two ends, the other one gets all", async () => {
    const { a, b, settle } = current();
    const first = a.serve("work", async () => encode("first"));
    b.serve("work", async () => encode("second"));
    first.close();
    await settle();
    for (let i = 0; i < 4; i++) {
      expect(decode(await a.request("work", encode("x"), PATIENT))).toBe("second");
    }
  });

  test("requests do not wait for each other", async () => {
    const { a, b, settle } = current();
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    b.serve("work", async (payload) => {
      if (decode(payload) === "slow") await released;
      return payload;
    });
    await settle();
    const slow = a.request("work", encode("slow"), PATIENT);
    expect(decode(await a.request("work", encode("quick"), PATIENT))).toBe("quick");
    release();
    expect(decode(await slow)).toBe("slow");
  });
}

function describeLeases(current: () => BusHarness): void {
  const take = (bus: Bus, key: string, value: string) =>
    bus.acquireLease(key, { value: encode(value), ttlMs: TTL_MS });

  test("one holder at a time, whoever asks; all can read who it is", async () => {
    const { a, b } = current();
    expect(await a.readLease("zone.town")).toBeUndefined();
    const lease = await take(a, "zone.town", "a");
    expect(lease?.key).toBe("zone.town");
    expect(await take(b, "zone.town", "b")).toBeUndefined();
    expect(await take(a, "zone.town", "a again")).toBeUndefined();
    expect(decode(await b.readLease("zone.town"))).toBe("a");
    expect(await take(b, "zone.wood", "b")).toBeDefined();
  });

  test("of many who ask at once, one gets it", async () => {
    const { a, b } = current();
    const asked = Array.from({ length: 20 }, (_, i) => take(i % 2 ? a : b, "zone.town", String(i)));
    const got = (await Promise.all(asked)).filter((lease) => lease !== undefined);
    expect(got).toHaveLength(1);
  });

  test("given back, it can be taken at once, and the old one is over", async () => {
    const { a, b } = current();
    const old = await take(a, "zone.town", "a");
    await old?.release();
    expect(await b.readLease("zone.town")).toBeUndefined();
    expect(await take(b, "zone.town", "b")).toBeDefined();
    expect(await old?.renew()).toBe(false);
    await old?.release();
    expect(decode(await a.readLease("zone.town"))).toBe("b");
  });

  test("renewed, it lasts beyond its time to live", async () => {
    const { a, b, advance } = current();
    const lease = await take(a, "zone.town", "a");
    for (let i = 0; i < 3; i++) {
      await advance(TTL_MS / 2);
      expect(await lease?.renew()).toBe(true);
    }
    expect(await take(b, "zone.town", "b")).toBeUndefined();
  });

  test("not renewed, it is lost, and for good", async () => {
    const { a, b, advance } = current();
    const old = await take(a, "zone.town", "a");
    await advance(TTL_MS * 1.5);
    await expect.poll(() => b.readLease("zone.town"), { timeout: TTL_MS * 2 }).toBeUndefined();
    expect(await old?.renew()).toBe(false);
    expect(await take(b, "zone.town", "b")).toBeDefined();
    expect(await old?.renew()).toBe(false);
    await old?.release();
    expect(decode(await a.readLease("zone.town"))).toBe("b");
  });

  test("it outlives its node until its time is over", async () => {
    const { a, b, advance } = current();
    const old = await take(a, "zone.town", "a");
    await a.close();
    expect(await take(b, "zone.town", "b")).toBeUndefined();
    expect(await kindOfRejection(old?.renew() ?? Promise.resolve())).toBe("closed");
    await advance(TTL_MS * 1.5);
    await expect.poll(() => take(b, "zone.town", "b"), { timeout: TTL_MS * 2 }).toBeDefined();
  });

  test.each([0, -1, Number.NaN])("a time to live of %d is refused", async (ttlMs) => {
    const asked = current().a.acquireLease("zone.town", { value: encode("a"), ttlMs });
    await expect(asked).rejects.toThrow(TypeError);
  });
}

function describeClose(current: () => BusHarness): void {
  test("open requests reject, and everything after it says `closed`", async () => {
    const { a, b, settle } = current();
    b.serve("never", () => new Promise(() => {}));
    await settle();
    const open = kindOfRejection(a.request("never", encode("x"), PATIENT));
    await a.close();
    expect(await open).toBe("closed");
    const calls = [
      () => a.publish("x", encode("x")),
      () => a.subscribe("x", () => {}),
      () => a.serve("x", async (payload) => payload),
    ];
    for (const call of calls) expect(call).toThrow(BusError);
    const asked = [
      a.request("x", encode("x"), PATIENT),
      a.readLease("x"),
      a.acquireLease("x", { value: encode("x"), ttlMs: TTL_MS }),
      a.start(),
    ];
    for (const promise of asked) expect(await kindOfRejection(promise)).toBe("closed");
  });

  test("its subscriptions and services end, those of the other connection go on", async () => {
    const { a, b, settle } = current();
    const ended = listen(a, "news");
    const goesOn = listen(b, "news");
    a.serve("ask", async (payload) => payload);
    await a.close();
    await a.close();
    await settle();
    b.publish("news", encode("1"));
    await expect.poll(() => goesOn.heard).toEqual(["news=1"]);
    expect(ended.heard).toEqual([]);
    expect(await kindOfRejection(b.request("ask", encode("x"), PATIENT))).toBe("no-responder");
  });
}
