import http from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RpcServer, startRpcServer, worldWith } from "../../test/support/rpc-server.ts";

let server: RpcServer;
const world = worldWith({ version: () => ({ protocol: "v1" }) });

beforeAll(async () => {
  server = await startRpcServer({ services: [world] });
});

afterAll(async () => {
  await server.close();
});

function callVersion(headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.url}/realmwire.v1.WorldService/Version`, {
    method: "POST",
    body: "{}",
    headers: { "content-type": "application/json", ...headers },
  });
}

describe("what is not a call", () => {
  const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    fetch(`${server.url}${path}`, { method, headers });

  test("health checks", async () => {
    expect(await (await get("/healthz")).text()).toBe("ok\n");
    expect(await (await get("/readyz")).text()).toBe("ready\n");
    expect(await (await get("/healthz", {}, "HEAD")).text()).toBe("");
  });

  test("the landing page, for people and for terminals", async () => {
    const text = await (await get("/")).text();
    expect(text).toContain('the game "meadow"');
    expect(text).toContain(`${server.url}/realmwire.v1.WorldService/Version`);
    const html = await get("/", { accept: "text/html,*/*" });
    expect(html.headers.get("content-type")).toContain("text/html");
    expect(await html.text()).toContain("<h1>meadow</h1>");
    const forged = await new Promise<string>((resolve) => {
      http.get(
        server.url,
        { headers: { host: "<script>alert(1)</script>", accept: "text/html" } },
        (answer) => {
          let body = "";
          answer.on("data", (chunk) => (body += String(chunk)));
          answer.on("end", () => resolve(body));
        },
      );
    });
    expect(forged).not.toContain("script>alert");
  });

  test("an unknown path is told what there is", async () => {
    const answer = await get("/realmwire.v1.WorldService/Nothing");
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain("realmwire.v1.WorldService\n");
    expect((await get("//")).status).toBe(404);
  });

  test("a page elsewhere may call: its preflight and its call", async () => {
    const preflight = await get(
      "/realmwire.v1.WorldService/Get",
      {
        origin: "https://example.org",
        "access-control-request-method": "POST",
        "access-control-request-headers":
          "authorization,connect-protocol-version,content-type,x-grpc-web,grpc-timeout",
      },
      "OPTIONS",
    );
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    const allowed = preflight.headers
      .get("access-control-allow-headers")
      ?.toLowerCase()
      .split(", ");
    expect(allowed).toEqual(
      expect.arrayContaining([
        "authorization",
        "connect-protocol-version",
        "connect-timeout-ms",
        "content-type",
        "x-grpc-web",
        "grpc-timeout",
      ]),
    );
    const answer = await callVersion({ origin: "https://example.org" });
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("access-control-expose-headers")?.toLowerCase()).toContain(
      "grpc-status",
    );
    expect((await callVersion()).headers.has("access-control-allow-origin")).toBe(false);
  });

  test("only the listed origins may call, where there is a list", async () => {
    const strict = await startRpcServer({
      services: [world],
      front: {
        allowedOrigins: ["https://example.org"],
        ready: () => false,
        pages: {
          "/metrics": (_, response) => void (response as http.ServerResponse).end("metrics"),
          "/play/": (request, response) => void (response as http.ServerResponse).end(request.url),
        },
      },
    });
    try {
      const from = async (origin: string, method: string) => {
        const url = `${strict.url}/realmwire.v1.WorldService/Version`;
        const headers = { origin, "content-type": "application/json" };
        const preflight = { "access-control-request-method": "POST" };
        const { headers: answered } = await (method === "OPTIONS"
          ? fetch(url, { method, headers: { ...headers, ...preflight } })
          : fetch(url, { method, headers, body: "{}" }));
        // Caches in between keep the answers to different pages apart.
        expect(answered.get("vary")).toBe("Origin");
        return answered.get("access-control-allow-origin");
      };
      for (const method of ["OPTIONS", "POST"]) {
        expect(await from("https://example.org", method)).toBe("https://example.org");
        expect(await from("https://evil.example", method)).toBeNull();
        expect(await from("http://example.org", method)).toBeNull();
        expect(await from("https://sub.example.org", method)).toBeNull();
        expect(await from("null", method)).toBeNull();
      }
      expect((await fetch(`${strict.url}/readyz`)).status).toBe(503);
      expect(await (await fetch(`${strict.url}/metrics`)).text()).toBe("metrics");
      expect(await (await fetch(`${strict.url}/play/a.js?b`)).text()).toBe("/play/a.js?b");
      expect((await fetch(`${strict.url}/playful`)).status).toBe(404);
    } finally {
      await strict.close();
    }
  });
});
