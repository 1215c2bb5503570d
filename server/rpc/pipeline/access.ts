import {
  type DescMessage,
  type DescMethod,
  type DescService,
  getOption,
  hasOption,
} from "@bufbuild/protobuf";
import { field as fieldRules } from "../../../gen/ts/buf/validate/validate_pb.ts";
import {
  access as accessOption,
  attribute as attributeOption,
  Role,
  RoleSchema,
} from "../../../gen/ts/realmwire/v1/options_pb.ts";
import type { RateLimit } from "../../../gen/ts/realmwire/v1/options_pb.ts";

/** The rule of one call, with its defaults filled in. */
export interface MethodAccess {
  /** The least role that may make the call. */
  readonly role: Role;
  /** Calls a second that one caller may sustain. */
  readonly perSecond: number;
  /** Calls that one caller may make at once. */
  readonly burst: number;
  /** The call against whose limit it counts: itself, or another one of its service. */
  readonly limitOf: DescMethod;
  /** The repeated field of the request whose items count as calls, by its name in TypeScript; undefined: a request counts as one. */
  readonly counted: string | undefined;
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
  const limitOf = limitOwner(method, limit);
  const { perSecond, burst } = rateOf(limitOf);
  return { role, perSecond, burst, limitOf, counted: countedField(method, limit, burst) };
}

/** The call whose limit counts: another one is named only where that has a limit of its own. */
function limitOwner(method: DescMethod, limit: RateLimit | undefined): DescMethod {
  const sharedWith = limit?.sharedWith ?? "";
  if (sharedWith === "") return method;
  const name = `${method.parent.typeName}.${method.name}`;
  const owner = method.parent.methods.find((other) => other.name === sharedWith);
  const isOwn =
    owner &&
    owner !== method &&
    hasOption(owner, accessOption) &&
    getOption(owner, accessOption).limit?.sharedWith === "";
  if (!isOwn) {
    throw new Error(`${name}: shared_with is "${sharedWith}", which is no call with a limit here`);
  }
  if (limit?.perSecond !== 0 || limit.burst !== 0) {
    throw new Error(`${name}: it shares the limit of ${sharedWith} and cannot have one of its own`);
  }
  return owner;
}

/** The name in TypeScript of the field whose items count as calls. */
function countedField(
  method: DescMethod,
  limit: RateLimit | undefined,
  burst: number,
): string | undefined {
  const counted = limit?.countedField ?? "";
  if (counted === "") return undefined;
  const name = `${method.parent.typeName}.${method.name}`;
  const field = method.input.fields.find((candidate) => candidate.name === counted);
  if (field?.fieldKind !== "list") {
    throw new Error(`${name}: counted_field is "${counted}", which is no repeated field`);
  }
  const { type } = getOption(field, fieldRules);
  const maxItems = type.case === "repeated" ? Number(type.value.maxItems) : 0;
  if (maxItems === 0 || maxItems > burst) {
    throw new Error(
      `${name}: ${counted} counts as calls and needs a rule max_items of at most ${burst}`,
    );
  }
  return field.localName;
}

function rateOf(method: DescMethod): { perSecond: number; burst: number } {
  const name = `${method.parent.typeName}.${method.name}`;
  const { limit } = getOption(method, accessOption);
  if (limit === undefined) {
    return { perSecond: DEFAULT_CALLS_PER_SECOND, burst: DEFAULT_CALLS_AT_ONCE };
  }
  if (!Number.isFinite(limit.perSecond) || limit.perSecond <= 0) {
    throw new Error(`${name}: per_second is ${limit.perSecond}, but must be greater than 0`);
  }
  if (limit.burst < 1) throw new Error(`${name}: burst is ${limit.burst}, but must be at least 1`);
  return { perSecond: limit.perSecond, burst: limit.burst };
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
