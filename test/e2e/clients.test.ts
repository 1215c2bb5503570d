import { afterAll, beforeAll, describe, test, expect } from "vitest";
import { WorldService } from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { type CertificateFolder, createCertificateFolder } from "../support/certificate.ts";
import { type CountedWay, createCountedWay, type Way } from "../support/counted-way.ts";
import { startTestServer } from "../support/server.ts";
import type { TestServer } from "../support/server.ts";
import { describeBrowsers } from "./clients/browsers.ts";
import { describeGrpcJs } from "./clients/grpc-js.ts";
import { describePrograms } from "./clients/programs.ts";
import { describeWay } from "./way-suite.ts";

describe.each<[boolean, Way]>([
  [false, "short"],
  [true, "short"],
  [false, "adapter"],
])("with TLS: %s, way: %s", (secured, way) => {
  // One server for all of them: a fresh database takes longer than most of the tests.
  let server: TestServer;
  let certificate: CertificateFolder | undefined;
  let counted: CountedWay;

  beforeAll(async () => {
    certificate = secured ? await createCertificateFolder() : undefined;
    counted = createCountedWay(way);
    const parts = { answerCalls: counted.answerCalls };
    server = await startTestServer({ parts, ...(certificate && { certificate }) });
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

  describe("the way", () => {
    describeWay(() => counted, { way, services: [WorldService] });
  });

  test("nothing of all this was worth a warning in the log", () => {
    expect(server.troubles).toEqual([]);
  });
});
