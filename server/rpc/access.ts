import {
  type DescMessage,
  type DescMethod,
  type DescService,
  getOption,
  hasOption,
} from "@bufbuild/protobuf";
import {
  access as accessOption,
  attribute as attributeOption,
  Role,
  RoleSchema,
} from "../../gen/ts/realmwire/v1/options_pb.ts";

/** The rule of one call, with its defaults filled in. */
export interface MethodAccess {
  /** The least role that may make the call. */
  readonly role: Role;
  /** Calls a second that one caller may sustain. */
  readonly perSecond: number;
  /** Calls that one caller may make at once. */
  readonly burst: number;
}

/** The rules of all calls. */
export type AccessTable = ReadonlyMap<DescMethod, MethodAccess>;

/** Calls a second for a call whose `access` names no limit. */
export const DEFAULT_CALLS_PER_SECOND = 20;
/** Calls at once for a call whose `access` names no limit. */
export const DEFAULT_CALLS_AT_ONCE = 40;

/** Services that carry no `access`, because they belong to every server and tell nothing about the world. */
export const INFRASTRUCTURE_SERVICES: ReadonlySet<string> = new Set([
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
]);

/** Reads the `access` option of every call. Throws an `Error` that names the call whose rule is missing or makes no sense. */
export function readAccess(services: readonly DescService[]): AccessTable {
  const table = new Map<DescMethod, MethodAccess>();
  for (const service of services) {
    if (INFRASTRUCTURE_SERVICES.has(service.typeName)) continue;
    for (const method of service.methods) table.set(method, accessOf(method));
  }
  return table;
}

function accessOf(method: DescMethod): MethodAccess {
  const name = `${method.parent.typeName}.${method.name}`;
  if (!hasOption(method, accessOption)) {
    throw new Error(
      `${name} has no option (realmwire.v1.access): nobody could tell who may call it`,
    );
  }
  const { role, limit } = getOption(method, accessOption);
  if (role === Role.UNSPECIFIED || RoleSchema.value[role] === undefined) {
    throw new Error(`${name}: its access names no role`);
  }
  if (limit === undefined) {
    return { role, perSecond: DEFAULT_CALLS_PER_SECOND, burst: DEFAULT_CALLS_AT_ONCE };
  }
  if (!Number.isFinite(limit.perSecond) || limit.perSecond <= 0) {
    throw new Error(`${name}: per_second is ${limit.perSecond}, but must be greater than 0`);
  }
  if (limit.burst < 1) throw new Error(`${name}: burst is ${limit.burst}, but must be at least 1`);
  return { role, perSecond: limit.perSecond, burst: limit.burst };
}

/** Checks that every field of these components says who may see and write it. Throws an `Error` that names the field which does not. */
export function checkComponents(components: readonly DescMessage[]): void {
  for (const component of components) {
    for (const field of component.fields) {
      if (hasOption(field, attributeOption)) continue;
      throw new Error(`${component.typeName}.${field.name} has no option (realmwire.v1.attribute)`);
    }
  }
}
