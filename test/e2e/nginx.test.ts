import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { createCertificateFolder, trustCertificate } from "../support/certificate.ts";
import { openInput } from "../support/input-stream.ts";
import { eventually, registerPlayer } from "../support/player.ts";
import { isInstalled, requireOrSkip } from "../support/require.ts";
import { PROTOCOLS, root, startTestServer } from "../support/server.ts";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

test("through nginx as deploy/nginx.conf has it, calls and streams of every protocol go on at once", async (context) => {
  requireOrSkip(context, await isInstalled("nginx"), "nginx");
  const folder = await mkdtemp(join(tmpdir(), "realmwire-nginx-"));
  const certificate = await createCertificateFolder();
  trustCertificate(certificate.cert);
  const server = await startTestServer();
  const port = await freePort();
  const text = await readFile(join(root, "deploy/nginx.conf"), "utf8");
  const block = text
    .replaceAll("server 127.0.0.1:8080", `server 127.0.0.1:${server.port}`)
    .replace("listen 443", `listen 127.0.0.1:${port}`)
    .replace(/ssl_certificate \S+;/, `ssl_certificate ${certificate.certFile};`)
    .replace(/ssl_certificate_key \S+;/, `ssl_certificate_key ${certificate.keyFile};`);
  for (const name of ["body", "proxy", "fastcgi", "uwsgi", "scgi"]) await mkdir(join(folder, name));
  const paths = ["client_body:body", "proxy:proxy", "fastcgi:fastcgi", "uwsgi:uwsgi", "scgi:scgi"]
    .map((pair) => pair.split(":"))
    .map(([what, where]) => `${what}_temp_path ${join(folder, where ?? "")};`);
  const file = join(folder, "nginx.conf");
  await writeFile(
    file,
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr;
     events {} http { access_log off; ${paths.join(" ")} ${block} }`,
  );
  const nginx = spawn("nginx", ["-c", file, "-p", folder], { stdio: ["ignore", "ignore", "pipe"] });
  let complaints = "";
  nginx.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
  const ended = once(nginx, "close");
  const baseUrl = `https://localhost:${port}`;
  try {
    await eventually("nginx to answer", async () => {
      const answer = await fetch(`${baseUrl}/readyz`).catch(() => undefined);
      return answer?.ok;
    });
    for (const protocol of PROTOCOLS) {
      const player = await registerPlayer(baseUrl, "Pia", protocol);
      const watcher = player.watch();
      // Ticks come one by one, so nothing is held back.
      await watcher.ticks(5);
      await player.move("offset", { x: 1, y: 0 });
      const error = await player.get("", ["no such attribute"]).catch(ConnectError.from);
      expect((error as ConnectError).metadata.get("x-request-id")).toMatch(/^[\da-f]{32}$/);
      player.close();
    }
    const ben = await registerPlayer(baseUrl, "Ben", "grpc");
    const input = openInput(baseUrl, ben.token);
    await input.send({ way: "direction", x: 1, y: 0, sequence: 7 });
    const watcher = ben.watch();
    await watcher.until("the move", () =>
      watcher.messages.some(({ acknowledged }) => acknowledged >= 7),
    );
    await input.finish();
    ben.close();
  } catch (error) {
    throw new Error(`nginx says: ${complaints}`, { cause: error });
  } finally {
    nginx.kill("SIGTERM");
    await ended;
    await server.dispose();
    await certificate.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}, 90_000);
