import { getOption } from "@bufbuild/protobuf";
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ServerReflection } from "../../../gen/ts/grpc/reflection/v1/reflection_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { access, Role, RoleSchema } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import { callAny, nameOf } from "../../support/any-call.ts";
import type { Failure } from "../../support/player.ts";
import { createTransport, PROTOCOLS } from "../../support/server.ts";
import { type CallsServer, loadOwnServices } from "./context.ts";

/** How a call with an empty request fails, over each protocol; undefined where it does not. */
async function failuresOfEmpty(
  { baseUrl }: CallsServer,
  method: DescMethod,
  token = "",
): Promise<(Failure | undefined)[]> {
  const failures: (Failure | undefined)[] = [];
  for (const protocol of PROTOCOLS) {
    failures.push((await callAny(baseUrl, method, { protocol, token })).failure);
  }
  return failures;
}

/** The same over each protocol. */
function everywhere<T>(failure: T): T[] {
  return PROTOCOLS.map(() => failure);
}

/** Who may make which call at all. */
export function describeGate(server: () => CallsServer): void {
  test("[PY-5] the services that are served are the generated ones", async () => {
    const services = await loadOwnServices();
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
    for (const method of (await loadOwnServices()).flatMap(({ methods }) => methods)) {
      if (getOption(method, access).role <= Role.ANONYMOUS) continue;
      const { Unauthenticated: code } = Code;
      for (const [token, reason] of [
        ["", ErrorReason.LOGIN_REQUIRED],
        ["x".repeat(43), ErrorReason.TOKEN_INVALID],
      ] as const) {
        expect(await failuresOfEmpty(server(), method, token), nameOf(method)).toMatchObject(
          everywhere({ code, reason }),
        );
      }
      refused.push(nameOf(method));
    }
    expect(refused).toContain("WorldService/Move");
    expect(refused).toContain("WorldService/Update");
  });

  test("[PY-5] every call for anybody works without a login, and with a wrong token", async () => {
    const allowed: string[] = [];
    for (const method of (await loadOwnServices()).flatMap(({ methods }) => methods)) {
      if (getOption(method, access).role !== Role.ANONYMOUS) continue;
      for (const token of ["", "x".repeat(43)]) {
        const failures = await failuresOfEmpty(server(), method, token);
        // An empty request may break the rules of its fields; that is all that may be wrong with it.
        expect(
          failures.map((failure) => failure?.reason ?? ErrorReason.INVALID_FIELDS),
          nameOf(method),
        ).toEqual(everywhere(ErrorReason.INVALID_FIELDS));
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
    for (const method of (await loadOwnServices()).flatMap(({ methods }) => methods)) {
      const { role } = getOption(method, access);
      for (const [own, { token }] of roles) {
        if (role <= own) continue;
        expect(await failuresOfEmpty(server(), method, token), nameOf(method)).toMatchObject(
          everywhere({
            code: Code.PermissionDenied,
            reason: ErrorReason.ROLE_TOO_LOW,
            metadata: { role: RoleSchema.value[role]?.name },
          }),
        );
      }
    }
  });
}
