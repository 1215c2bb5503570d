import { readdirSync } from "node:fs";
import { join } from "node:path";
import { getOption } from "@bufbuild/protobuf";
import type {
  DescMethod,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
} from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ServerReflection } from "../../../gen/ts/grpc/reflection/v1/reflection_pb.ts";
import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { access, Role, RoleSchema } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import { failureOf } from "../../support/player.ts";
import { createTransport, PROTOCOLS, root } from "../../support/server.ts";
import type { Protocol } from "../../support/server.ts";
import type { CallsServer } from "./context.ts";

/** All services of the public protocol, from the generated files. */
async function allServices(): Promise<DescService[]> {
  const folder = join(root, "gen/ts/realmwire/v1");
  const files = readdirSync(folder).filter((file) => file.endsWith("_pb.ts"));
  const modules = await Promise.all(
    files.map((file) => import(join(folder, file)) as Promise<Record<string, unknown>>),
  );
  return modules
    .flatMap((module) => Object.values(module))
    .filter((item): item is DescService => (item as { kind?: string }).kind === "service");
}

/** Makes a call with an empty request, and says how it failed; undefined when it did not. */
async function callEmpty(
  baseUrl: string,
  method: DescMethod,
  options: { protocol?: Protocol; token?: string } = {},
) {
  const transport = createTransport(baseUrl, options.protocol ?? "connect", options.token ?? "");
  const make = async () => {
    if (isUnary(method)) {
      await transport.unary(method, undefined, undefined, undefined, {});
      return;
    }
    if (!isOneWayStream(method)) throw new Error(`${method.name} has streams both ways`);
    const input = (async function* () {
      yield {};
    })();
    const answer = await transport.stream(method, undefined, undefined, undefined, input);
    for await (const _ of answer.message) return;
  };
  let failed = false;
  const call = make().catch((error: unknown) => {
    failed = true;
    throw error;
  });
  const failure = await failureOf(call).catch(() => undefined);
  return failed ? failure : undefined;
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

function isOneWayStream(
  method: DescMethod,
): method is DescMethodServerStreaming | DescMethodClientStreaming {
  return method.methodKind === "server_streaming" || method.methodKind === "client_streaming";
}

function nameOf(method: DescMethod): string {
  return `${method.parent.name}/${method.name}`;
}

/** Who may make which call at all. */
export function describeGate(server: () => CallsServer): void {
  test("[PY-5] the services that are served are the generated ones", async () => {
    const services = await allServices();
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
    for (const method of (await allServices()).flatMap(({ methods }) => methods)) {
      if (getOption(method, access).role <= Role.ANONYMOUS) continue;
      for (const protocol of PROTOCOLS) {
        expect(
          await callEmpty(server().baseUrl, method, { protocol }),
          nameOf(method),
        ).toMatchObject({ code: Code.Unauthenticated, reason: ErrorReason.LOGIN_REQUIRED });
      }
      const token = "x".repeat(43);
      expect(await callEmpty(server().baseUrl, method, { token }), nameOf(method)).toMatchObject({
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
    for (const method of (await allServices()).flatMap(({ methods }) => methods)) {
      if (getOption(method, access).role !== Role.ANONYMOUS) continue;
      for (const token of ["", "x".repeat(43)]) {
        const failure = await callEmpty(server().baseUrl, method, { token });
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
    for (const method of (await allServices()).flatMap(({ methods }) => methods)) {
      const { role } = getOption(method, access);
      for (const [own, { token }] of roles) {
        if (role <= own) continue;
        expect(await callEmpty(server().baseUrl, method, { token }), nameOf(method)).toMatchObject({
          code: Code.PermissionDenied,
          reason: ErrorReason.ROLE_TOO_LOW,
          metadata: { role: RoleSchema.value[role]?.name },
        });
      }
    }
  });
}
