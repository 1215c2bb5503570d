import { create, createFileRegistry, setExtension } from "@bufbuild/protobuf";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import {
  FileDescriptorProtoSchema,
  MethodOptionsSchema,
  file_google_protobuf_empty,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";
import type { EmptySchema, MethodOptions, StringValueSchema } from "@bufbuild/protobuf/wkt";
import {
  AccessSchema,
  access,
  file_realmwire_v1_options,
  Role,
} from "../../gen/ts/realmwire/v1/options_pb.ts";

/** A service as a game of somebody else might have it. */
export type GuildService = GenService<{
  /** Says where the caller is. */
  whereAmI: { methodKind: "unary"; input: typeof EmptySchema; output: typeof StringValueSchema };
  /** For builders. */
  disband: { methodKind: "unary"; input: typeof EmptySchema; output: typeof StringValueSchema };
}>;

/** What the limit of `WhereAmI` lets through at once. */
export const GUILD_BURST = 5;

/** The service's descriptor, made without generated code. `unruled` leaves out the `access` of `Disband`. */
export function describeGuild({ unruled = false } = {}): GuildService {
  const method = (name: string, options: MethodOptions) => ({
    name,
    inputType: ".google.protobuf.Empty",
    outputType: ".google.protobuf.StringValue",
    options,
  });
  const forPlayers = ruled(Role.PLAYER, { perSecond: 0.1, burst: GUILD_BURST });
  const file = create(FileDescriptorProtoSchema, {
    name: "guild/v1/guild.proto",
    package: "guild.v1",
    syntax: "proto3",
    dependency: [
      "google/protobuf/empty.proto",
      "google/protobuf/wrappers.proto",
      "realmwire/v1/options.proto",
    ],
    service: [
      {
        name: "GuildService",
        method: [
          method("WhereAmI", forPlayers),
          method("Disband", unruled ? create(MethodOptionsSchema) : ruled(Role.BUILDER)),
        ],
      },
    ],
  });
  const known = [
    file_google_protobuf_empty,
    file_google_protobuf_wrappers,
    file_realmwire_v1_options,
  ];
  // A descriptor names its file without the ending.
  const registry = createFileRegistry(file, (name) =>
    known.find((desc) => `${desc.name}.proto` === name),
  );
  return registry.getService("guild.v1.GuildService") as unknown as GuildService;
}

function ruled(role: Role, limit?: { perSecond: number; burst: number }): MethodOptions {
  const options = create(MethodOptionsSchema);
  setExtension(options, access, create(AccessSchema, { role, ...(limit && { limit }) }));
  return options;
}
