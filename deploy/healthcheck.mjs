// Ends with 0 when the server on this machine takes calls, as /readyz tells, else with 1. It reads the same variables as the server.
import http from "node:http";
import https from "node:https";

const { PORT, REALMWIRE_TLS_CERT } = process.env;
const target = { host: "127.0.0.1", port: PORT || 8080, path: "/readyz", timeout: 4_000 };
// The certificate is for the server's public name, and nothing secret is asked here.
const request = REALMWIRE_TLS_CERT
  ? https.get({ ...target, rejectUnauthorized: false })
  : http.get(target);
request.on("response", (response) => {
  process.exitCode = response.statusCode === 200 ? 0 : 1;
  response.resume();
  request.destroy();
});
request.on("timeout", () => request.destroy(new Error("no answer")));
request.on("error", (error) => {
  if (process.exitCode !== undefined) return;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
