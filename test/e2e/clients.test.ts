import { afterAll, beforeAll, describe, test, expect } from "vitest";
import { type CertificateFolder, createCertificateFolder } from "../support/certificate.ts";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { describeBrowsers } from "./clients/browsers.ts";
import { describeGrpcJs } from "./clients/grpc-js.ts";
import { describePrograms } from "./clients/programs.ts";

describe.each([false, true])("with TLS: %s", (secured) => {
  // One server for all of them: a fresh database takes longer than most of the tests.
  let server: TestServer;
  let certificate: CertificateFolder | undefined;

  beforeAll(async () => {
    certificate = secured ? await createCertificateFolder() : undefined;
    server = await startTestServer(certificate && { certificate });
  });

  afterAll(async () => {
    await server?.dispose();
    await certificate?.dispose();
  });

  describe("grpc-js", () => {
    describeGrpcJs(() => server);
  });
  describe("programs", () => {
    describePrograms(() => server, { secured });
  });
  describe("browsers", () => {
    describeBrowsers(() => server);
  });

  test("nothing of all this was worth a warning in the log", () => {
    expect(server.troubles).toEqual([]);
  });
});
