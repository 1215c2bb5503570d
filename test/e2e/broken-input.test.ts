import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { callRows } from "../../scripts/access-matrix.ts";
import { loadRuledTypes } from "../../scripts/generated-files.ts";
import { brokenRequests, detailOf } from "../support/broken-requests.ts";
import { registerPlayer } from "../support/player.ts";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { callByHand, outcomeOf } from "../support/wire.ts";

/** Requests that are tried. */
const RUNS = 400;

const { services } = await loadRuledTypes();
// Who opens an update stream is answered for as long as the stream lasts.
const methods = callRows(services)
  .map(({ method }) => method)
  .filter(({ name }) => name !== "Update");

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(() => server?.dispose());

test.each(["anonymous", "logged in"])(
  "whatever comes is answered by an answer or by an error with a reason: %s",
  { timeout: 120_000 },
  async (who) => {
    const host = `127.0.0.1:${server.port}`;
    const seen = new Map<string, number>();
    const property = fc.asyncProperty(brokenRequests(methods), async (drawn) => {
      // Some calls end a session.
      const token = who === "anonymous" ? "" : (await registerPlayer(server.baseUrl, "Bro")).token;
      const headers = {
        ...drawn.request.headers,
        ...(token && { authorization: `Bearer ${token}` }),
      };
      const answer = await callByHand(host, { ...drawn.request, headers });
      const outcome = outcomeOf(answer);
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      if ("brokeOff" in answer) throw new Error(`no answer: ${answer.brokeOff}`);
      if (outcome === "ok") return;
      expect(["internal", "unknown"]).not.toContain(outcome);
      expect(detailOf(answer)).toBe("realmwire.v1.ErrorDetail");
    });
    await fc.assert(property, { numRuns: who === "anonymous" ? RUNS : RUNS / 2 });
    expect(seen.get("invalid_argument")).toBeGreaterThan(10);
    // Nothing of it was worth a warning, and the server goes on.
    expect(server.troubles).toEqual([]);
    expect((await fetch(`${server.baseUrl}/readyz`)).status).toBe(200);
  },
);
