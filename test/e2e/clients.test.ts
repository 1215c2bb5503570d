import { afterAll, beforeAll, describe, test, expect } from "vitest";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { describeBrowsers } from "./clients/browsers.ts";
import { describeGrpcJs } from "./clients/grpc-js.ts";
import { describePrograms } from "./clients/programs.ts";

// One server for all of them: a fresh database takes longer than most of the tests.
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(async () => {
  await server?.dispose();
});

describe("grpc-js, over HTTP/2 without TLS", () => {
  describeGrpcJs(() => server);
});
describe("programs", () => {
  describePrograms(() => server);
});
describe("browsers", () => {
  describeBrowsers(() => server);
});

test("nothing of all this was worth a warning in the log", () => {
  expect(server.troubles).toEqual([]);
});
