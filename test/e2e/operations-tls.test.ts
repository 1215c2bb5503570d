import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import http2 from "node:http2";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { createDataFolders, type DataFolders } from "../support/data-folders.ts";
import {
  type CertificateFolder,
  createCertificateFolder,
  makeTestCertificate,
  trustCertificate,
} from "../support/certificate.ts";
import { type ChildServer, runServer, serverArgs } from "../support/child-server.ts";
import { eventually, loginPlayer, readFailure, untilEnd } from "../support/player.ts";

let folders: DataFolders;
let certificate: CertificateFolder;
let server: ChildServer | undefined;

beforeAll(async () => {
  folders = await createDataFolders();
  certificate = await createCertificateFolder();
  trustCertificate(certificate.cert);
});
afterEach(() => server?.dispose());
afterAll(async () => {
  await certificate.dispose();
  await folders.dispose();
});

function tlsArgs({ certFile, keyFile }: Pick<CertificateFolder, "certFile" | "keyFile">) {
  return ["--tls-cert", certFile, "--tls-key", keyFile];
}

/** A call over HTTP/2 of which only the status and the text are wanted. */
async function getHttp2(baseUrl: string, path: string): Promise<[status: unknown, text: string]> {
  const session = http2.connect(baseUrl);
  session.on("error", () => {});
  try {
    const stream = session.request({ ":path": path });
    const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
    let text = "";
    for await (const chunk of stream) text += String(chunk);
    return [headers[":status"], text];
  } finally {
    session.close();
  }
}

test("[AL-1] a certificate that cannot be served, and production without one, end the start with 2 and the setting", async () => {
  const data = await folders.next();
  const nowhere = join(data, "nowhere.pem");
  const other = await createCertificateFolder();
  const { certFile, keyFile } = certificate;
  const production = { NODE_ENV: "production" };
  const refused: [args: string[], env: NodeJS.ProcessEnv, why: RegExp][] = [
    [["--tls-cert", certFile], {}, /--tls-key \(REALMWIRE_TLS_KEY\): is needed too/],
    [["--plaintext", "refuse"], {}, /--plaintext \(REALMWIRE_PLAINTEXT\) "refuse": nobody/],
    [[], production, /production .*passwords[^]*--plaintext \(REALMWIRE_PLAINTEXT\) allow/],
    [tlsArgs({ certFile: nowhere, keyFile }), {}, /--tls-cert .*nowhere\.pem": there is no such/],
    [tlsArgs({ certFile, keyFile: certFile }), {}, /--tls-key .*: is not a key in PEM/],
    [
      tlsArgs({ certFile, keyFile: other.keyFile }),
      production,
      /--tls-key \(REALMWIRE_TLS_KEY\) ".*key\.pem": is not the key of the certificate ".*cert/,
    ],
  ];
  for (const [args, env, why] of refused) {
    server = runServer(serverArgs(data, ...args), env);
    const { code } = await server.ended();
    expect(server.stderr).toMatch(why);
    expect(server.stderr).not.toMatch(/^\s+at /m);
    expect(code).toBe(2);
  }
  await other.dispose();
});

test("[AL-1] it speaks TLS and says so, refuses plaintext readably, and drains as without TLS", async () => {
  const data = await folders.next();
  const args = serverArgs(data, ...tlsArgs(certificate), "--drain-ms", "300");
  server = runServer(args, { NODE_ENV: "production" });
  const { baseUrl, port } = await server.ready();
  expect(server.log.at(-1)?.msg).toBe(`ready: https://localhost:${port}`);
  expect(await (await fetch(baseUrl)).text()).toContain(`buf curl ${baseUrl}/realmwire.v1.World`);
  expect(await getHttp2(baseUrl, "/")).toEqual([200, expect.stringContaining(`curl ${baseUrl}/`)]);

  const plain = await fetch(`http://127.0.0.1:${port}/healthz`);
  expect([plain.status, await plain.text()]).toEqual([
    400,
    expect.stringContaining("use https://"),
  ]);
  await expect(getHttp2(`http://127.0.0.1:${port}`, "/healthz")).rejects.toThrow();

  const protocols = ["connect", "grpc", "grpc-web"] as const;
  const players = await Promise.all(
    protocols.map((protocol, i) =>
      loginPlayer(baseUrl, ["ada", "bob", "builder"][i] ?? "", { protocol }),
    ),
  );
  const watchers = players.map((player) => player.watch());
  for (const watcher of watchers) await watcher.until("a scene", () => watcher.scenes.length > 0);
  server.signal("SIGTERM");
  for (const watcher of watchers) {
    expect(readFailure(await untilEnd(watcher))).toMatchObject({
      code: Code.Unavailable,
      reason: ErrorReason.DRAINING,
    });
  }
  expect(await server.ended()).toEqual({ code: 0, signal: null });
  expect(server.log.at(-1)).toMatchObject({ msg: "stopped" });
  expect(server.log.filter(({ level }) => Number(level) >= 40)).toEqual([]);
});

test("both come in at the same port where plaintext is asked for", async () => {
  const data = await folders.next();
  server = runServer(serverArgs(data, ...tlsArgs(certificate), "--plaintext", "allow"));
  const { baseUrl, port } = await server.ready();
  const plainUrl = `http://127.0.0.1:${port}`;
  for (const url of [baseUrl, plainUrl]) {
    expect(await (await fetch(`${url}/healthz`)).text()).toBe("ok\n");
    expect(await getHttp2(url, "/healthz")).toEqual([200, "ok\n"]);
  }
  const ada = await loginPlayer(baseUrl, "ada");
  const bob = await loginPlayer(plainUrl, "bob");
  expect(await ada.get("bob", ["name"])).toEqual(await bob.get("", ["name"]));
});

test("a new certificate is served without a restart; a broken one is told and changes nothing; SIGHUP reads at once", async () => {
  const own = await createCertificateFolder();
  try {
    trustCertificate(own.cert);
    server = runServer(serverArgs(await folders.next(), ...tlsArgs(own)));
    const running = server;
    const { baseUrl } = await running.ready();
    const told = (msg: string) => running.log.filter((line) => line.msg === msg).length;
    const refusals = () => told("the new certificate cannot be served, the one before stays");
    const ada = await loginPlayer(baseUrl, "ada");
    const watcher = ada.watch();
    await watcher.until("a scene", () => watcher.scenes.length > 0);
    const next = await makeTestCertificate();
    await writeFile(own.keyFile, next.key);
    await eventually("the refusal", () => refusals() === 1);
    expect(await getHttp2(baseUrl, "/healthz")).toEqual([200, "ok\n"]);
    // Nothing has changed since: only the signal can be why it is read again.
    running.signal("SIGHUP");
    await eventually("the second refusal", () => refusals() === 2);

    await writeFile(own.certFile, next.cert);
    await eventually("the new one", () => told("a certificate is served") === 2);
    await expect(getHttp2(baseUrl, "/healthz")).rejects.toThrow(/self.signed/);
    trustCertificate(next.cert);
    expect(await getHttp2(baseUrl, "/healthz")).toEqual([200, "ok\n"]);
    // The old connection goes on.
    await watcher.ticks(2);
    watcher.close();
    running.signal("SIGTERM");
    expect(await running.ended()).toEqual({ code: 0, signal: null });
  } finally {
    await own.dispose();
  }
});
