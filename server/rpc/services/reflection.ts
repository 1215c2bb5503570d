import {
  type DescEnum,
  type DescExtension,
  type DescFile,
  type DescMessage,
  type DescService,
  toBinary,
} from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import {
  ServerReflection,
  type ServerReflectionRequest,
} from "../../../gen/ts/grpc/reflection/v1/reflection_pb.ts";
import {
  ServerReflection as ServerReflectionAlpha,
  type ServerReflectionRequest as ServerReflectionRequestAlpha,
} from "../../../gen/ts/grpc/reflection/v1alpha/reflection_pb.ts";
import { defineInfrastructure, type InfrastructureService } from "./infrastructure.ts";

/** Options of {@link createReflection}. */
export interface ReflectionOptions {
  /** The services that the server offers, without reflection itself. */
  readonly services: readonly DescService[];
  /** The files that may be asked for, with all that they import: `gatherTypes(…).files`. */
  readonly files: readonly DescFile[];
}

interface Index {
  readonly services: readonly string[];
  readonly byName: ReadonlyMap<string, DescFile>;
  readonly bySymbol: ReadonlyMap<string, DescFile>;
  /** By the extended message, then by number. */
  readonly extensions: ReadonlyMap<string, ReadonlyMap<number, DescFile>>;
}

type MessageRequest =
  | ServerReflectionRequest["messageRequest"]
  | ServerReflectionRequestAlpha["messageRequest"];
// Fits both versions, which differ in nothing but their package.
type MessageResponse =
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | {
      case: "allExtensionNumbersResponse";
      value: { baseTypeName: string; extensionNumber: number[] };
    }
  | { case: "errorResponse"; value: { errorCode: Code; errorMessage: string } };

/** Server reflection, v1 and v1alpha: lets `buf curl`, grpcurl and the like call the server without its protos. */
export function createReflection(options: ReflectionOptions): InfrastructureService[] {
  const own: DescService[] = [ServerReflection, ServerReflectionAlpha];
  const index = indexOf(options, own);
  return [
    defineInfrastructure(ServerReflection, {
      serverReflectionInfo: (requests) => answerAll(index, requests),
    }),
    defineInfrastructure(ServerReflectionAlpha, {
      serverReflectionInfo: (requests) => answerAll(index, requests),
    }),
  ];
}

async function* answerAll<R extends ServerReflectionRequest | ServerReflectionRequestAlpha>(
  index: Index,
  requests: AsyncIterable<R>,
) {
  const answer = createAnswerer(index);
  for await (const originalRequest of requests) {
    const messageResponse = answer(originalRequest.messageRequest);
    yield { validHost: originalRequest.host, originalRequest, messageResponse };
  }
}

function indexOf(options: ReflectionOptions, own: readonly DescService[]): Index {
  const files = new Set([...options.files, ...own.map((service) => service.file)]);
  const byName = new Map<string, DescFile>();
  const bySymbol = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();
  for (const file of files) {
    byName.set(file.proto.name, file);
    for (const type of nestedTypes(file)) {
      bySymbol.set(type.typeName, file);
      if (type.kind === "extension") addExtension(extensions, type);
      for (const symbol of membersOf(type)) bySymbol.set(symbol, file);
    }
  }
  const services = [...options.services, ...own].map((service) => service.typeName).sort();
  return { services, byName, bySymbol, extensions };
}

function membersOf(type: DescMessage | DescEnum | DescExtension | DescService): string[] {
  switch (type.kind) {
    case "service":
      return type.methods.map((method) => `${type.typeName}.${method.name}`);
    case "message":
      return type.members.map((member) => `${type.typeName}.${member.name}`);
    case "enum": {
      // By the scoping rules of Protobuf a value is a sibling of its enum, not its child.
      const scope = type.typeName.slice(0, type.typeName.length - type.name.length);
      return type.values.map((value) => `${scope}${value.name}`);
    }
    case "extension":
      return [];
  }
}

function addExtension(
  extensions: Map<string, Map<number, DescFile>>,
  extension: DescExtension,
): void {
  const extendee: DescMessage = extension.extendee;
  const known = extensions.get(extendee.typeName) ?? new Map<number, DescFile>();
  known.set(extension.number, extension.file);
  extensions.set(extendee.typeName, known);
}

// One for each stream: files that the stream already carried are not sent along again.
function createAnswerer(index: Index): (request: MessageRequest) => MessageResponse {
  const sent = new Set<DescFile>();

  function fileResponse(file: DescFile | undefined, what: string): MessageResponse {
    if (file === undefined) return errorResponse(Code.NotFound, `${what} is not known`);
    const wanted: DescFile[] = [file];
    sent.add(file);
    // Grows while it is walked: the imports of imports come too.
    for (const { dependencies } of wanted) {
      for (const dependency of dependencies) {
        if (sent.has(dependency)) continue;
        sent.add(dependency);
        wanted.push(dependency);
      }
    }
    return {
      case: "fileDescriptorResponse",
      value: {
        fileDescriptorProto: wanted.map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto)),
      },
    };
  }

  return (request) => {
    switch (request.case) {
      case "listServices":
        return {
          case: "listServicesResponse",
          value: { service: index.services.map((name) => ({ name })) },
        };
      case "fileByFilename":
        return fileResponse(index.byName.get(request.value), `the file ${request.value}`);
      case "fileContainingSymbol":
        return fileResponse(index.bySymbol.get(request.value), request.value);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = request.value;
        return fileResponse(
          index.extensions.get(containingType)?.get(extensionNumber),
          `extension ${extensionNumber} of ${containingType}`,
        );
      }
      case "allExtensionNumbersOfType":
        return extensionNumbers(index, request.value);
      case undefined:
        return errorResponse(Code.InvalidArgument, "nothing is asked for");
    }
  };
}

function extensionNumbers(index: Index, typeName: string): MessageResponse {
  if (!index.bySymbol.has(typeName)) {
    return errorResponse(Code.NotFound, `${typeName} is not known`);
  }
  return {
    case: "allExtensionNumbersResponse",
    value: {
      baseTypeName: typeName,
      extensionNumber: [...(index.extensions.get(typeName)?.keys() ?? [])],
    },
  };
}

function errorResponse(errorCode: Code, errorMessage: string): MessageResponse {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
