import { readdirSync, readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { AccountService } from "../../gen/ts/realmwire/v1/account_service_pb.ts";
import { createRealmwire } from "./index.ts";
import type { WorldFlag } from "./index.ts";
import { TOWN } from "./testing/messages.ts";
import { startUpdatePeer } from "./testing/update-peer.ts";
import type { UpdatePeer } from "./testing/update-peer.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function startPeer(): Promise<UpdatePeer> {
  const peer = await startUpdatePeer(({ rpc }) => {
    rpc(WorldService.method.login, ({ name }) => ({ token: `token of ${name}`, character: name }));
    rpc(AccountService.method.logout, () => ({}));
    rpc(WorldService.method.version, (_, context) => ({
      protocol: "v1",
      game: context.requestHeader.get("authorization") ?? "",
    }));
    rpc(WorldService.method.get, () => ({
      flags: [
        { kind: { case: "map", value: { zone: "town", revision: 3 } } },
        { kind: { case: "client", value: { release: { version: "2.0.0" } } } },
        {},
      ],
    }));
  });
  closers.push(peer.close);
  return peer;
}

test("the token goes with calls and streams, by either protocol", async () => {
  for (const protocol of ["connect", "grpc-web"] as const) {
    const peer = await startPeer();
    const client = createRealmwire({ baseUrl: peer.baseUrl, protocol });
    expect(await client.version()).toMatchObject({ protocol: "v1", game: "" });
    await client.login("ada", "a password");
    expect(await client.version()).toMatchObject({ game: "Bearer token of ada" });
    const headers = { authorization: "Bearer mine" };
    expect(await client.world.version({}, { headers })).toMatchObject({ game: "Bearer mine" });
    const world = client.connect();
    expect((await peer.call(0)).authorization).toBe("Bearer token of ada");
    world.close();
  }
});

test("all calls go through the fetch that is given", async () => {
  const peer = await startPeer();
  const urls: string[] = [];
  const fetchAndLog: typeof fetch = (input, init) => {
    urls.push(new Request(input, init).url);
    return fetch(input, init);
  };
  const client = createRealmwire({ baseUrl: `${peer.baseUrl}/`, fetch: fetchAndLog });
  await client.version();
  expect(urls).toEqual([`${peer.baseUrl}/realmwire.v1.WorldService/Version`]);
});

test("flags on answers are told", async () => {
  const peer = await startPeer();
  const client = createRealmwire({ baseUrl: peer.baseUrl });
  const flags: WorldFlag[] = [];
  const unsubscribe = client.onFlag((flag) => flags.push(flag));
  await client.get();
  unsubscribe();
  await client.get();
  expect(flags).toMatchObject([
    { case: "map", value: { zone: "town", revision: 3 } },
    { case: "client", value: { release: { version: "2.0.0" } } },
  ]);
});

test("a stream outlives the time limit of calls", async () => {
  const peer = await startPeer();
  const client = createRealmwire({ baseUrl: peer.baseUrl, callTimeoutMs: 50 });
  const world = client.connect();
  closers.push(world.close);
  const call = await peer.call(0);
  call.send({ tick: 1, scene: TOWN });
  await world.ready();
  await new Promise((resolve) => setTimeout(resolve, 120));
  call.send({ tick: 2 });
  await vi.waitFor(() => expect(world.view.tick).toBe(2));
  expect(peer.calls).toHaveLength(1);
});

test("closing the client and logging out close all open worlds", async () => {
  const peer = await startPeer();
  const client = createRealmwire({ baseUrl: peer.baseUrl });
  await client.login("ada", "a password");
  const worlds = [client.connect(), client.connect()];
  client.close();
  expect(worlds.map(({ state }) => state.kind)).toEqual(["closed", "closed"]);
  const later = client.connect();
  await client.logout();
  expect(later.state).toEqual({ kind: "closed" });
});

test("the library imports generated types, the three packages it may, and its own files alone", () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".ts"));
  const imports = files
    .filter((name) => !name.endsWith(".test.ts"))
    .flatMap((name) => {
      const text = readFileSync(`${import.meta.dirname}/${name}`, "utf8");
      return [...text.matchAll(/ from "([^"]+)"/g)].map(([, from = ""]) => from);
    });
  const allowed =
    /^(\.\/[a-z-]+\.ts|\.\.\/\.\.\/gen\/ts\/realmwire\/v1\/.+|@bufbuild\/protobuf(\/wkt)?|@connectrpc\/connect(-web)?)$/;
  expect(imports.length).toBeGreaterThan(20);
  expect(imports.filter((from) => !allowed.test(from))).toEqual([]);
});
