import {
  createRegistry,
  type DescFile,
  type DescMessage,
  type DescService,
  type Registry,
} from "@bufbuild/protobuf";
import { file_realmwire_v1_error } from "../../../gen/ts/realmwire/v1/error_pb.ts";

/** What a server can speak about: its services and all that may stand in their messages. */
export interface ProtocolTypes {
  /** Every file that is needed, imports before those that import them. */
  readonly files: readonly DescFile[];
  /** Every type in these files, for `google.protobuf.Any` in JSON. */
  readonly registry: Registry;
}

/**
 * Gathers the files of services, of messages that occur only inside `google.protobuf.Any` (a game's components),
 * of the errors, and all that these import.
 */
export function gatherTypes(
  services: readonly DescService[],
  messages: readonly DescMessage[] = [],
): ProtocolTypes {
  const files = new Map<string, DescFile>();
  function add(file: DescFile): void {
    if (files.has(file.name)) return;
    for (const dependency of file.dependencies) add(dependency);
    files.set(file.name, file);
  }
  add(file_realmwire_v1_error);
  for (const { file } of [...services, ...messages]) add(file);
  return { files: [...files.values()], registry: createRegistry(...files.values()) };
}
