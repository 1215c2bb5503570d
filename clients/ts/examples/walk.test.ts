import { spawn } from "node:child_process";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { AccountService } from "../../../gen/ts/realmwire/v1/account_service_pb.ts";
import { ChatService } from "../../../gen/ts/realmwire/v1/chat_service_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { MoveRefusal, WorldService } from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { TOWN } from "../testing/messages.ts";
import { serverError } from "../testing/scripted-peer.ts";
import { startUpdatePeer } from "../testing/update-peer.ts";

/** Runs the example as its reader would; answers what it prints and its exit code. */
async function runWalk(...args: string[]): Promise<{ text: string; code: number | null }> {
  const child = spawn(process.execPath, [`${import.meta.dirname}/walk.ts`, ...args]);
  let text = "";
  child.stdout.on("data", (data) => (text += String(data)));
  child.stderr.on("data", (data) => (text += String(data)));
  const code = await new Promise<number | null>((resolve) => {
    child.on("close", resolve);
  });
  return { text, code };
}

test("the example registers, looks, walks around a wall, talks and leaves", async () => {
  const calls: string[] = [];
  const peer = await startUpdatePeer(({ rpc }) => {
    rpc(WorldService.method.version, () => ({ game: "meadow", server: "0.1.0", protocol: "v1" }));
    rpc(WorldService.method.login, () => {
      throw serverError(Code.Unauthenticated, ErrorReason.CREDENTIALS_WRONG);
    });
    rpc(WorldService.method.new, ({ name }) => ({
      token: "t",
      account: { name },
      character: name,
    }));
    rpc(WorldService.method.move, ({ kind, sequence }) => {
      const isEast = kind.case === "offset" && kind.value.x > 0;
      calls.push(isEast ? "east" : "south");
      return isEast
        ? { moved: false, refusal: MoveRefusal.BARRIER, position: { x: 1, y: 1 }, sequence }
        : { moved: true, position: { x: 1, y: 2 }, sequence };
    });
    rpc(ChatService.method.say, ({ text }) => {
      calls.push(`say ${text}`);
      return { message: { text } };
    });
    rpc(AccountService.method.logout, () => {
      calls.push("logout");
      return {};
    });
  });
  try {
    const running = runWalk(peer.baseUrl, "ada", "a password");
    (await peer.call(0)).send({ tick: 1, scene: TOWN, entities: [{ id: 1, name: "ada" }] });
    const { text, code } = await running;
    expect(text).toContain("in town, tick 1; around me:\n  ada () at 0.00, 0.00");
    expect(text).toContain("refused (BARRIER), at 1.00, 1.00");
    expect(code).toBe(0);
    expect(calls).toEqual(["east", "south", "south", "south", "south", "say hello", "logout"]);
  } finally {
    await peer.close();
  }
});

test("the example names a server that is not there", async () => {
  const { baseUrl, close } = await startUpdatePeer();
  await close();
  const { text, code } = await runWalk(baseUrl, "ada", "a password");
  expect(text).toContain(`error: the connection to ${baseUrl} failed`);
  expect(code).toBe(1);
});
