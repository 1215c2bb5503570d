import { Code } from "@connectrpc/connect";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { callRows } from "../../scripts/access-matrix.ts";
import { loadRuledTypes } from "../../scripts/generated-files.ts";
import { MAX_REQUEST_BYTES } from "../../server/rpc/transport/call-bounds.ts";
import { type BrokenRequest, brokenRequests } from "../support/broken-requests.ts";
import { failureOf, registerPlayer } from "../support/player.ts";
import { faultsOf, PROTOCOLS, startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { callByHand, outcomeOf, type WireAnswer } from "../support/wire.ts";
import { detailOf } from "../support/wire-error.ts";
import { enlist } from "./access/cast.ts";

/** Requests that are tried. */
const RUNS = 450;
/** Broken requests that the second server takes a minute. */
const PER_MINUTE = 20;

const { services } = await loadRuledTypes();
/** All but the one that would stop the server. */
const methods = callRows(services)
  .map(({ method }) => method)
  .filter(({ name }) => name !== "Drain");

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ args: { "broken-requests-per-minute": "1000000" } });
});

afterAll(() => server?.dispose());

/** Answered by an answer, or by an error that says what it is. */
function expectMeant(answer: WireAnswer | { readonly brokeOff: string }): string {
  const outcome = outcomeOf(answer);
  if ("brokeOff" in answer) throw new Error(`no answer: ${answer.brokeOff}`);
  if (outcome === "ok") return outcome;
  expect(["internal", "unknown"]).not.toContain(outcome);
  expect(detailOf(answer)?.reason).toBeGreaterThan(0);
  return outcome;
}

test.each(["anonymous", "logged in"] as const)(
  "whatever comes is answered by an answer or by an error with a reason: %s",
  { timeout: 120_000 },
  async (who) => {
    const seen = new Map<string, number>();
    let token = "";
    const property = fc.asyncProperty(brokenRequests(methods), async ({ request }) => {
      // Some calls end the session.
      if (who === "logged in" && token === "") ({ token } = await enlist(server, "admin"));
      const headers = {
        ...request.headers,
        ...(token && { authorization: `Bearer ${token}` }),
      };
      const answer = await callByHand(server.baseUrl, { ...request, headers });
      const outcome = expectMeant(answer);
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      if (outcome === "unauthenticated") token = "";
    });
    await fc.assert(property, { numRuns: RUNS });
    expect(seen.get("invalid_argument")).toBeGreaterThan(50);
    // Nothing of it was worth a warning, and the server goes on.
    expect(faultsOf(server)).toEqual([]);
    expect((await fetch(`${server.baseUrl}/readyz`)).status).toBe(200);
  },
);

test.each(PROTOCOLS)(
  "[JW-5] a message longer than the bound is refused and told the bound, one below it is read, and its stream goes on: %s",
  async (protocol) => {
    const player = await registerPlayer(server.baseUrl, "Long", protocol);
    const stream = player.watch();
    await stream.until("a scene", () => stream.view.self);
    const say = (bytes: number) => failureOf(player.chat.say({ text: "x".repeat(bytes) }));
    for (const bytes of [MAX_REQUEST_BYTES, 4 * MAX_REQUEST_BYTES]) {
      expect(await say(bytes)).toMatchObject({
        code: Code.ResourceExhausted,
        reason: ErrorReason.MESSAGE_TOO_LARGE,
        metadata: { limit: String(MAX_REQUEST_BYTES) },
      });
    }
    // What is read is looked at: a text has a bound of its own.
    expect(await say(MAX_REQUEST_BYTES - 100)).toMatchObject({
      code: Code.InvalidArgument,
      reason: ErrorReason.INVALID_FIELDS,
      fields: ["text"],
    });
    await player.chat.say({ text: "short" });
    await stream.until("it is heard", () => stream.heard.some(({ text }) => text === "short"));
    expect(stream.scenes).toHaveLength(1);
    player.close();
  },
);

test("who sends nothing but broken requests is cut off, whatever they are; who plays goes on", async () => {
  const strict = await startTestServer({
    args: { "broken-requests-per-minute": String(PER_MINUTE) },
  });
  try {
    const player = await registerPlayer(strict.baseUrl, "Good");
    const isHopeless = ({ broken }: BrokenRequest) =>
      broken === "a giant length" || broken === "random bytes";
    const seed = Math.floor(Math.random() * 2 ** 31);
    const sample = fc.sample(brokenRequests(methods), { numRuns: 1_000, seed });
    const requests = sample.filter(isHopeless);
    const reasons: (ErrorReason | undefined)[] = [];
    for (const { request } of requests) {
      reasons.push(detailOf(await callByHand(strict.baseUrl, request))?.reason);
      if (reasons.length % 20 === 0) expect((await player.position()).x).toBeTypeOf("number");
    }
    const count = (wanted: ErrorReason) => reasons.filter((reason) => reason === wanted).length;
    expect(count(ErrorReason.MALFORMED), `seed ${seed}`).toBeGreaterThan(0);
    // Refused for other reasons before anybody saw that they are broken, or read as something that makes sense: such are few.
    expect(count(ErrorReason.TOO_MANY_FAILURES), `seed ${seed}`).toBeGreaterThan(
      requests.length / 4,
    );
    expect(faultsOf(strict)).toEqual([]);
  } finally {
    await strict.dispose();
  }
});
