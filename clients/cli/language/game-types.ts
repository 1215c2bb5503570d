import { create, createFileRegistry, fromBinary, hasOption } from "@bufbuild/protobuf";
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { ServerReflection } from "../../../gen/ts/grpc/reflection/v1/reflection_pb.ts";
import { BodySchema, PresenceSchema } from "../../../gen/ts/realmwire/v1/entity_pb.ts";
import { attribute } from "../../../gen/ts/realmwire/v1/options_pb.ts";

/**
 * The components of the game that runs, as its server describes them by reflection: so this client knows the attributes of any game,
 * with their types, without having been made for it.
 */
export interface GameTypes {
  /** Asks the server about those of these types, by full names, that are not known yet. A server that does not tell leaves them unknown. */
  learn(typeNames: Iterable<string>): Promise<void>;
  /** The field of an attribute, `mood` or `creature.mood`, among these types first and then among all. */
  field(name: string, typeNames?: Iterable<string>): DescField | undefined;
  /** Names of the attributes of these types; without types of all. */
  attributes(typeNames?: Iterable<string>): string[];
}

/** Creates a description that knows only what every game has. */
export function createGameTypes(transport: Transport): GameTypes {
  const known = new Map<string, DescMessage>();
  const asked = new Set<string>();
  for (const message of [BodySchema, PresenceSchema]) known.set(message.typeName, message);

  const chosen = (typeNames: Iterable<string>): DescMessage[] =>
    [...typeNames].flatMap((name) => known.get(name) ?? []);

  return {
    async learn(typeNames) {
      const unknown = [...typeNames].filter((name) => !known.has(name) && !asked.has(name));
      if (unknown.length === 0) return;
      for (const name of unknown) asked.add(name);
      for (const message of await askFor(unknown, transport)) known.set(message.typeName, message);
    },
    field(name, typeNames = []) {
      const [component, wanted] = name.includes(".") ? splitAtDot(name) : ["", name];
      const fits = (message: DescMessage): boolean =>
        component === "" || message.name.toLowerCase() === component.toLowerCase();
      return [...chosen(typeNames), ...known.values()]
        .filter(fits)
        .flatMap(fieldsOf)
        .find((field) => field.name === wanted);
    },
    attributes(typeNames) {
      const messages = typeNames === undefined ? [...known.values()] : chosen(typeNames);
      return [...new Set(messages.flatMap(fieldsOf).map(({ name }) => name))];
    },
  };
}

/** The fields that are attributes. */
function fieldsOf(message: DescMessage): DescField[] {
  return message.fields.filter((field) => hasOption(field, attribute));
}

function splitAtDot(name: string): [string, string] {
  const dot = name.lastIndexOf(".");
  return [name.slice(0, dot).split(".").at(-1) ?? "", name.slice(dot + 1)];
}

/** All components in the files of these types. Where the server does not answer there are none, and values are read by their looks. */
async function askFor(typeNames: readonly string[], transport: Transport): Promise<DescMessage[]> {
  const files = new Map<string, FileDescriptorProto>();
  async function* requests() {
    for (const value of typeNames) {
      yield { messageRequest: { case: "fileContainingSymbol" as const, value } };
    }
  }
  try {
    const answers = createClient(ServerReflection, transport).serverReflectionInfo(requests());
    for await (const { messageResponse } of answers) {
      if (messageResponse.case !== "fileDescriptorResponse") continue;
      for (const bytes of messageResponse.value.fileDescriptorProto) {
        const file = fromBinary(FileDescriptorProtoSchema, bytes);
        files.set(file.name, file);
      }
    }
    const set = create(FileDescriptorSetSchema, { file: importsFirst(files) });
    return [...createFileRegistry(set)].flatMap((type) =>
      type.kind === "message" && fieldsOf(type).length > 0 ? [type] : [],
    );
  } catch {
    return [];
  }
}

function importsFirst(files: ReadonlyMap<string, FileDescriptorProto>): FileDescriptorProto[] {
  const sorted = new Set<FileDescriptorProto>();
  const visit = (file: FileDescriptorProto | undefined): void => {
    if (file === undefined || sorted.has(file)) return;
    for (const name of file.dependency) visit(files.get(name));
    sorted.add(file);
  };
  for (const file of files.values()) visit(file);
  return [...sorted];
}
