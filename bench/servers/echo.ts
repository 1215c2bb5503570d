// The least that a call over HTTP can cost: `node:http` or, as `node-http2`, `node:http2`, sending back what came.
import http from "node:http";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { announce, plainCredentials, readSettings } from "./child.ts";

/** As long as the server that it is compared with. */
const KEEP_ALIVE_MS = 75_000;

const settings = readSettings();

const server =
  settings.candidate === "node-http2"
    ? http2.createServer((request, response) => {
        collect(request, (body) => {
          response.writeHead(200, { "content-type": "application/grpc+proto" });
          response.addTrailers({ "grpc-status": "0" });
          response.end(body);
        });
      })
    : http.createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
        collect(request, (body) => {
          response.writeHead(200, {
            "content-type": "application/proto",
            "content-length": body.length,
          });
          response.end(body);
        });
      });

function collect(
  request: http.IncomingMessage | http2.Http2ServerRequest,
  done: (body: Uint8Array) => void,
): void {
  let body: Buffer = Buffer.alloc(0);
  request.on("data", (chunk: Buffer) => {
    body = body.length === 0 ? chunk : Buffer.concat([body, chunk]);
  });
  request.on("end", () => done(body));
}

await new Promise<void>((resolve) => {
  server.listen(0, "127.0.0.1", resolve);
});
const { port } = server.address() as AddressInfo;
announce({ port, credentials: plainCredentials(settings.players) });
