import type { MessageInitShape } from "@bufbuild/protobuf";
import type { UserTargetSchema } from "../../gen/ts/realmwire/v1/user_pb.ts";

/** The option by which a name is a character's. */
export const CHARACTER_OPTION = ["--character", "the name is that of a character"] as const;

/** Options with {@link CHARACTER_OPTION}. */
export interface TargetOptions {
  readonly character?: true;
}

/** Whom a name means. */
export function targetOf(
  name: string,
  { character }: TargetOptions,
): MessageInitShape<typeof UserTargetSchema> {
  return { by: { case: character ? "character" : "account", value: name } };
}
