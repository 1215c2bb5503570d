import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { MoveRefusal } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { type InputMove, type InputStream, openInput } from "../../support/input-stream.ts";
import { eventually, failureOf, kindOf } from "../../support/player.ts";
import type { TestPlayer, Watcher } from "../../support/player.ts";
import { mapOf, portalTo, walkUntil } from "../../support/walking.ts";
import type { CallsServer } from "./context.ts";

/** Moves that one caller may make at once. */
const BURST = 400;

function go(sequence: number, x: number, y: number): InputMove {
  return { way: "direction", x, y, sequence };
}

function step(sequence: number, x: number, y: number): InputMove {
  return { way: "offset", x, y, sequence };
}

/** Input: what becomes of moves that nobody answers, and how the stream ends. */
export function describeInputs(server: () => CallsServer): void {
  const openWith = (token: string, options?: Parameters<typeof openInput>[2]): InputStream =>
    openInput(server().baseUrl, token, { protocol: server().protocol, ...options });
  const open = ({ token }: TestPlayer, options?: Parameters<typeof openInput>[2]) =>
    openWith(token, options);

  async function present(): Promise<{ ann: TestPlayer; sees: Watcher }> {
    const ann = await server().player("Inp");
    const sees = ann.watch();
    await sees.until("a scene", () => sees.view.self);
    // Offsets are saved up.
    await sees.ticks(6);
    return { ann, sees };
  }

  const acknowledged = (sees: Watcher, sequence: number) =>
    sees.until(`move ${sequence}`, () => sees.view.acknowledged >= sequence);

  test.each([
    ["grpc", "2"],
    ["connect", "2"],
    ["connect", "1.1"],
    ["grpc-web", "1.1"],
    ["grpc-web", "2"],
  ] as const)(
    "moves are made without an answer each: %s over HTTP/%s",
    async (protocol, httpVersion) => {
      const { ann, sees } = await present();
      const from = { ...sees.view.self?.position };
      const input = open(ann, { protocol, httpVersion });
      const steps = [step(1, 0.25, 0), step(2, -0.25, 0.125), step(3, 0, 0.25)] as const;
      await input.send(steps[0]);
      await input.send(steps[1], steps[2]);
      await acknowledged(sees, 3);
      // Somebody may stand in the way.
      const refused = sees.messages.flatMap((message) => message.refused);
      const made = steps.filter(
        (one) => !refused.some(({ sequence }) => sequence === one.sequence),
      );
      const sum = (part: "x" | "y") => made.reduce((total, one) => total + one[part], 0);
      expect(sees.view.self?.position.x).toBeCloseTo((from.x ?? 0) + sum("x"), 2);
      expect(sees.view.self?.position.y).toBeCloseTo((from.y ?? 0) + sum("y"), 2);
      expect(await input.finish()).toMatchObject({ taken: 3, refused: refused.length });
    },
  );

  test("a message that acknowledges a move shows what came of it", async () => {
    const { ann, sees } = await present();
    const input = open(ann);
    const self = () => sees.view.self;
    for (let turn = 1; turn <= 12; turn++) {
      const east = turn % 2 === 1;
      await input.send(go(turn, 0, east ? 1 : -1));
      await acknowledged(sees, turn);
      const message = sees.messages.at(-1);
      expect(message?.acknowledged).toBe(turn);
      const { y = 0 } = self()?.velocity ?? {};
      // A wall may stop it, but it no longer goes the other way.
      if (east) expect(y).toBeGreaterThanOrEqual(0);
      else expect(y).toBeLessThanOrEqual(0);
    }
    await input.finish();
  });

  test("what is refused is told on all streams of the character, in order", async () => {
    const { ann, sees } = await present();
    const also = ann.watch();
    await also.until("a scene", () => also.view.self);
    const input = open(ann);
    await input.send(step(1, 9, 0), step(2, 0, 0), step(3, 0, -9));
    await input.send(step(4, Number.NaN, 0));
    await acknowledged(sees, 4);
    await acknowledged(also, 4);
    for (const { messages } of [sees, also]) {
      const refused = messages.flatMap((message) => message.refused);
      expect(refused.map(({ sequence, refusal }) => [sequence, refusal])).toEqual([
        [1, MoveRefusal.TOO_FAR],
        [3, MoveRefusal.TOO_FAR],
        [4, MoveRefusal.NOT_A_PLACE],
      ]);
      expect(refused.every(({ position }) => position !== undefined)).toBe(true);
      const last = messages.findIndex(({ refused: some }) => some.at(-1)?.sequence === 4);
      const first = messages.findIndex((message) => message.acknowledged >= 4);
      expect(last, "told no later than acknowledged").toBeLessThanOrEqual(first);
    }
    expect(await input.finish()).toMatchObject({ taken: 4, refused: 3 });
  });

  test("Move and Input are carried out in the order in which they come", async () => {
    const { ann, sees } = await present();
    const input = open(ann);
    await input.send(go(1, 1, 0));
    await acknowledged(sees, 1);
    const kind = kindOf("direction", { x: 0, y: 0 });
    expect(await ann.world.move({ kind, sequence: 2 })).toMatchObject({ moved: true, sequence: 2 });
    await acknowledged(sees, 2);
    await sees.ticks(2);
    expect(sees.view.self?.velocity).toMatchObject({ x: 0, y: 0 });
    await input.finish();
  });

  test("whoever only sends moves is in the world, and stays there", async () => {
    const ann = await server().player("Inp");
    const input = open(ann);
    await input.send(go(1, 0, 0));
    const bob = await server().player("Inp");
    const sees = bob.watch();
    await sees.until("Ann", () => sees.view.named(ann.name));
    await sees.ticks(10);
    expect(sees.view.named(ann.name)).toBeDefined();
    expect(await input.finish()).toMatchObject({ taken: 1 });
  });

  test("it goes on in another zone, and holds back what comes on the way there", async () => {
    const { ann, sees } = await present();
    const { middle } = portalTo(await mapOf(ann), "meadow");
    await walkUntil(ann, sees, middle, "the gate", () => sees.scenes.at(-1) === "meadow");
    const input = open(ann);
    const back = portalTo(await mapOf(ann), "town").middle;
    let sequence = 1_000;
    const target = { way: "destination" as const, ...back };
    // It came out beside the portal that leads back: only leaving and coming again counts.
    await input.send({ way: "destination", x: back.x + 3, y: back.y + 3, sequence: ++sequence });
    await sees.ticks(12);
    for (let more = 0; more < 60 && sees.scenes.at(-1) !== "town"; more++) {
      await input.send({ ...target, sequence: ++sequence });
      await sees.ticks(1);
    }
    expect(sees.scenes.at(-1)).toBe("town");
    await input.send(go(++sequence, 0, 0));
    await acknowledged(sees, sequence);
    expect(await input.finish()).toMatchObject({ taken: sequence - 1_000 });
  });

  describe("how it ends", () => {
    test("a newer stream takes its place", async () => {
      const { ann, sees } = await present();
      const older = open(ann);
      await older.send(go(1, 0, 0));
      await acknowledged(sees, 1);
      const newer = open(ann);
      await newer.send(go(2, 0, 0));
      expect(await older.failure()).toMatchObject({
        code: Code.ResourceExhausted,
        reason: ErrorReason.TOO_MANY_STREAMS,
        metadata: { limit: "1" },
      });
      await acknowledged(sees, 2);
      expect(await newer.finish()).toMatchObject({ taken: 1 });
    });

    test("the session is replaced, by a login and by its first call", async () => {
      const { ann } = await present();
      const input = open(ann);
      await input.send(go(1, 0, 0));
      await server().login(ann.name);
      expect(await input.failure()).toMatchObject({
        code: Code.Unauthenticated,
        reason: ErrorReason.SESSION_REPLACED,
      });
    });

    test("the account logs out", async () => {
      const { ann } = await present();
      const input = open(ann);
      await input.send(go(1, 0, 0));
      await ann.account.logout({});
      expect(await input.failure()).toMatchObject({ reason: ErrorReason.TOKEN_INVALID });
    });

    test("another character is selected", async () => {
      const { ann } = await present();
      const input = open(ann);
      await input.send(go(1, 0, 0));
      const name = `${ann.name}two`;
      await ann.account.createCharacter({ name });
      await ann.account.selectCharacter({ name });
      expect(await input.failure()).toMatchObject({
        code: Code.Aborted,
        reason: ErrorReason.CHARACTER_CHANGED,
      });
    });

    test("a message breaks a rule: those before it were made", async () => {
      const { ann, sees } = await present();
      const input = open(ann);
      await input.send(go(7, 0, 0));
      await input.send();
      const failure = await input.failure();
      expect(failure).toMatchObject({
        code: Code.InvalidArgument,
        reason: ErrorReason.INVALID_FIELDS,
      });
      expect(failure.fields).toEqual(["moves"]);
      await acknowledged(sees, 7);
    });

    test("more moves than the limit allows: it is told when to go on", async () => {
      const { ann } = await present();
      const input = open(ann);
      const full = Array.from({ length: 32 }, (_, index) => go(index + 1, 0, 0));
      for (let sent = 0; sent < 3 * BURST; sent += full.length) await input.send(...full);
      const failure = await input.failure();
      expect(failure).toMatchObject({
        code: Code.ResourceExhausted,
        reason: ErrorReason.TOO_MANY_CALLS,
        metadata: { limit: "200" },
      });
      expect(failure.detail?.retryDelay?.nanos).toBeGreaterThan(0);
      // Move has the same limit.
      const move = () =>
        ann.world.move({
          moves: full.map(({ sequence }) => ({
            kind: kindOf("direction", { x: 0, y: 0 }),
            sequence,
          })),
        });
      expect(await failureOf(move())).toMatchObject({ reason: ErrorReason.TOO_MANY_CALLS });
      const answer = await eventually("room below the limit", () => move().catch(() => undefined));
      expect(answer.outcomes).toHaveLength(32);
    });

    test("a deadline passes", async () => {
      const { ann } = await present();
      const input = open(ann, { timeoutMs: 300 });
      await input.send(go(1, 0, 0));
      expect(await input.failure()).toMatchObject({ code: Code.DeadlineExceeded });
    });

    test("nobody is let in without a login, or without a character", async () => {
      const { ann } = await present();
      expect(await openWith("").failure()).toMatchObject({
        reason: ErrorReason.LOGIN_REQUIRED,
      });
      expect(await openWith(`${ann.token}x`).failure()).toMatchObject({
        reason: ErrorReason.TOKEN_INVALID,
      });
    });
  });
}
