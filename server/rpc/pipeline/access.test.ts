import {
  create,
  createFileRegistry,
  type DescMessage,
  type DescService,
  setExtension,
} from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  file_google_protobuf_descriptor,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import {
  field as fieldRules,
  FieldRulesSchema,
  file_buf_validate_validate,
} from "../../../gen/ts/buf/validate/validate_pb.ts";
import { Health } from "../../../gen/ts/grpc/health/v1/health_pb.ts";
import { file_meadow_v1_components } from "../../../gen/ts/meadow/v1/components_pb.ts";
import { AccountService } from "../../../gen/ts/realmwire/v1/account_service_pb.ts";
import { ChatService } from "../../../gen/ts/realmwire/v1/chat_service_pb.ts";
import { BodySchema, PresenceSchema } from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import {
  access,
  type Access,
  AccessSchema,
  file_realmwire_v1_options,
  type RateLimitSchema,
  Role,
} from "../../../gen/ts/realmwire/v1/options_pb.ts";
import { VectorSchema } from "../../../gen/ts/realmwire/v1/value_pb.ts";
import {
  VersionRequestSchema,
  WorldService,
} from "../../../gen/ts/realmwire/v1/world_service_pb.ts";
import { ZoneService } from "../../../gen/ts/realmwire/v1/zone_service_pb.ts";
import { checkComponents, readAccess } from "./access.ts";

/** A number field; `maxItems` 0: without a rule. */
function field(name: string, number: number, label: FieldDescriptorProto_Label, maxItems = 0) {
  const options = create(FieldOptionsSchema);
  if (maxItems > 0) {
    const type = { case: "repeated" as const, value: { maxItems: BigInt(maxItems) } };
    setExtension(options, fieldRules, create(FieldRulesSchema, { type }));
  }
  return { name, number, label, type: FieldDescriptorProto_Type.UINT32, options };
}

function serviceWith(rule: Access | undefined): DescService {
  const options = create(MethodOptionsSchema);
  if (rule !== undefined) setExtension(options, access, rule);
  const file = create(FileDescriptorProtoSchema, {
    name: "test.proto",
    package: "test",
    syntax: "proto3",
    dependency: ["realmwire/v1/options.proto", "buf/validate/validate.proto"],
    messageType: [
      {
        name: "Empty",
        field: [
          field("bounded", 1, FieldDescriptorProto_Label.REPEATED, 5),
          field("endless", 2, FieldDescriptorProto_Label.REPEATED),
          field("single", 3, FieldDescriptorProto_Label.OPTIONAL),
        ],
      },
    ],
    service: [
      {
        name: "Open",
        method: [{ name: "Call", inputType: ".test.Empty", outputType: ".test.Empty", options }],
      },
    ],
  });
  const known = [
    file_realmwire_v1_options,
    file_buf_validate_validate,
    ...file_buf_validate_validate.dependencies,
    file_google_protobuf_descriptor,
  ];
  const registry = createFileRegistry(file, (name) =>
    known.find((candidate) => candidate.proto.name === name),
  );
  const service = registry.getService("test.Open");
  if (service === undefined) throw new Error("the test's own service is missing");
  return service;
}

test("every call of the protocol has a rule, with the defaults filled in", () => {
  const services = [WorldService, AccountService, ZoneService, ChatService];
  const table = readAccess(services);
  expect(table.size).toBe(services.reduce((sum, service) => sum + service.methods.length, 0));
  expect(table.get(WorldService.method.move)).toEqual({
    role: Role.PLAYER,
    perSecond: 200,
    burst: 400,
    limitOf: WorldService.method.move,
    counted: "moves",
  });
  expect(table.get(WorldService.method.input)).toEqual(table.get(WorldService.method.move));
  expect(table.get(WorldService.method.version)?.role).toBe(Role.ANONYMOUS);
  expect(table.get(AccountService.method.logout)).toEqual({
    role: Role.PLAYER,
    perSecond: 20,
    burst: 40,
    limitOf: AccountService.method.logout,
    counted: undefined,
  });
});

test("a call without a rule, or with a senseless one, is named", () => {
  expect(() => readAccess([serviceWith(undefined)])).toThrow(/test\.Open\.Call has no option/);
  const rule = (init: Parameters<typeof create<typeof AccessSchema>>[1]) =>
    readAccess([serviceWith(create(AccessSchema, init))]);
  expect(() => rule({})).toThrow(/test\.Open\.Call: its access names no role/);
  expect(() => rule({ role: 99 as Role })).toThrow(/names no role/);
  expect(() => rule({ role: Role.PLAYER, limit: { perSecond: 0, burst: 5 } })).toThrow(
    /test\.Open\.Call: per_second is 0/,
  );
  expect(() => rule({ role: Role.PLAYER, limit: { perSecond: Number.NaN, burst: 5 } })).toThrow(
    /per_second is NaN/,
  );
  expect(() => rule({ role: Role.PLAYER, limit: { perSecond: 5 } })).toThrow(/burst is 0/);
  expect(rule({ role: Role.PLAYER, limit: { perSecond: 0.5, burst: 1 } }).size).toBe(1);
});

test("a limit that counts items, or is another call's, names what makes no sense in it", () => {
  const rule = (limit: Parameters<typeof create<typeof RateLimitSchema>>[1]) =>
    readAccess([serviceWith(create(AccessSchema, { role: Role.PLAYER, limit }))]);
  const [rules] = rule({ perSecond: 5, burst: 5, countedField: "bounded" }).values();
  expect(rules).toMatchObject({ burst: 5, counted: "bounded" });
  expect(() => rule({ perSecond: 5, burst: 4, countedField: "bounded" })).toThrow(
    /test\.Open\.Call: bounded .* max_items of at most 4/,
  );
  expect(() => rule({ perSecond: 5, burst: 5, countedField: "endless" })).toThrow(/max_items/);
  for (const countedField of ["single", "nothing"]) {
    expect(() => rule({ perSecond: 5, burst: 5, countedField })).toThrow(/no repeated field/);
  }
  expect(() => rule({ sharedWith: "Other" })).toThrow(/shared_with is "Other"/);
  expect(() => rule({ sharedWith: "Call" })).toThrow(/shared_with is "Call"/);
  const rulesOfInput = readAccess([WorldService]).get(WorldService.method.input);
  expect(rulesOfInput?.limitOf).toBe(WorldService.method.move);
});

test("infrastructure needs no rule", () => {
  expect(readAccess([Health]).size).toBe(0);
});

test("a component's field without a rule is named", () => {
  const components: DescMessage[] = [
    BodySchema,
    PresenceSchema,
    ...file_meadow_v1_components.messages,
  ];
  expect(() => checkComponents(components)).not.toThrow();
  expect(() => checkComponents([BodySchema, VectorSchema])).toThrow(
    /realmwire\.v1\.Vector\.x has no/,
  );
  expect(() => checkComponents([VersionRequestSchema])).not.toThrow();
});
