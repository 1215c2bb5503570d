import { getOption } from "@bufbuild/protobuf";
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ServerReflection } from "../../../gen/ts/grpc/reflection/v1/reflection_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { access, Role, RoleSchema } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import { loadRuledTypes } from "../../../scripts/generated-files.ts";
import { callAny, nameOf } from "../../support/any-call.ts";
import type { CallOptions } from "../../support/any-call.ts";
import { createTransport, PROTOCOLS } from "../../support/server.ts";
import type { CallsServer } from "./context.ts";

/** How a call with an empty request fails; undefined when it does not. */
async function failureOfEmpty(baseUrl: string, method: DescMethod, options: CallOptions = {}) {
  return (await callAny(baseUrl, method, options)).failure;
}

async function loadServices() {
  return (await loadRuledTypes()).services.filter(({ typeName }) =>
    typeName.startsWith("realmwire.v1."),
  );
}

/** Who may make which call at all. */
export function describeGate(server: () => CallsServer): void {
  test("[PY-5] the services that are served are the generated ones", async () => {
    const services = await loadServices();
    const transport = createTransport(server().baseUrl, "grpc");
    const listed: string[] = [];
    const ask = (async function* () {
      yield { messageRequest: { case: "listServices" as const, value: "" } };
    })();
    for await (const { messageResponse } of createClient(
      ServerReflection,
      transport,
    ).serverReflectionInfo(ask)) {
      if (messageResponse.case !== "listServicesResponse") continue;
      listed.push(...messageResponse.value.service.map(({ name }) => name));
    }
    const ours = listed.filter((name) => name.startsWith("realmwire."));
    expect(ours.sort()).toEqual(services.map(({ typeName }) => typeName).sort());
    expect(services.flatMap(({ methods }) => methods).length).toBeGreaterThan(20);
  });

  test("[PY-5] [PY-14] every call above ANONYMOUS is refused without a login, and with a wrong token", async () => {
    const refused: string[] = [];
    for (const method of (await loadServices()).flatMap(({ methods }) => methods)) {
      if (getOption(method, access).role <= Role.ANONYMOUS) continue;
      for (const protocol of PROTOCOLS) {
        expect(
          await failureOfEmpty(server().baseUrl, method, { protocol }),
          nameOf(method),
        ).toMatchObject({ code: Code.Unauthenticated, reason: ErrorReason.LOGIN_REQUIRED });
      }
      const token = "x".repeat(43);
      expect(
        await failureOfEmpty(server().baseUrl, method, { token }),
        nameOf(method),
      ).toMatchObject({
        code: Code.Unauthenticated,
        reason: ErrorReason.TOKEN_INVALID,
      });
      refused.push(nameOf(method));
    }
    expect(refused).toContain("WorldService/Move");
    expect(refused).toContain("WorldService/Update");
  });

  test("[PY-5] every call for anybody works without a login, and with a wrong token", async () => {
    const allowed: string[] = [];
    for (const method of (await loadServices()).flatMap(({ methods }) => methods)) {
      if (getOption(method, access).role !== Role.ANONYMOUS) continue;
      for (const token of ["", "x".repeat(43)]) {
        const failure = await failureOfEmpty(server().baseUrl, method, { token });
        // An empty request may break the rules of its fields; that is all that may be wrong with it.
        expect(failure?.reason ?? ErrorReason.INVALID_FIELDS, nameOf(method)).toBe(
          ErrorReason.INVALID_FIELDS,
        );
      }
      allowed.push(nameOf(method));
    }
    expect(allowed.sort()).toEqual([
      "WorldService/Login",
      "WorldService/New",
      "WorldService/Upgrade",
      "WorldService/Version",
    ]);
  });

  test("[SM-3] [PY-14] every call above one's role is refused, and names the role that it needs", async () => {
    const player = await server().as(Role.PLAYER);
    const builder = await server().as(Role.BUILDER);
    const roles = [
      [Role.PLAYER, player],
      [Role.BUILDER, builder],
    ] as const;
    for (const method of (await loadServices()).flatMap(({ methods }) => methods)) {
      const { role } = getOption(method, access);
      for (const [own, { token }] of roles) {
        if (role <= own) continue;
        expect(
          await failureOfEmpty(server().baseUrl, method, { token }),
          nameOf(method),
        ).toMatchObject({
          code: Code.PermissionDenied,
          reason: ErrorReason.ROLE_TOO_LOW,
          metadata: { role: RoleSchema.value[role]?.name },
        });
      }
    }
  });
}
