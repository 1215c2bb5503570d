import type { DescFile, DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { ErrorReason } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { ErrorReasonSchema } from "../../gen/ts/realmwire/v1/error_pb.ts";
import { Role } from "../../gen/ts/realmwire/v1/options_pb.ts";
import { callText, ownErrors, reasonName } from "./errors.ts";
import { linkTo, linkToFile } from "./markdown.ts";
import type { ReferenceCall } from "./protocol.ts";

const KINDS: Readonly<Record<DescMethod["methodKind"], string>> = {
  unary: "one request, one answer",
  server_streaming: "one request, a stream of answers",
  client_streaming: "a stream of requests, one answer",
  bidi_streaming: "streams both ways",
};

const CALLERS: Readonly<Record<Role, string>> = {
  [Role.UNSPECIFIED]: "nobody",
  [Role.ANONYMOUS]: "anybody",
  [Role.PLAYER]: "players",
  [Role.BUILDER]: "builders",
  [Role.ADMIN]: "admins",
};

/** What kind of call it is, in words. */
export function kindInWords({ method }: ReferenceCall): string {
  return KINDS[method.methodKind] ?? "";
}

/** Who may make a call, in words. */
export function callersInWords({ access }: ReferenceCall): string {
  return CALLERS[access.role] ?? "";
}

/** How often a call may be made, in words. */
export function limitInWords({ method, access }: ReferenceCall): string {
  const { role, perSecond, burst, limitOf, counted } = access;
  const keeper = role === Role.ANONYMOUS ? "address" : "session";
  const number = (value: number) => value.toLocaleString("en");
  const shared = limitOf === method ? "" : `, together with ${limitOf.name}`;
  const items = counted === undefined ? "" : `; each of \`${counted}\` counts`;
  return `${number(perSecond)} a second, ${number(burst)} at once for each ${keeper}${shared}${items}`;
}

/** A section for each call of a service. */
export function callSections(page: DescFile, calls: readonly ReferenceCall[]): string[] {
  return calls.flatMap((call) => {
    const { method } = call;
    const path = `/${method.parent.typeName}/${method.name}`;
    const isSafe = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
    const isUnary = method.methodKind === "unary";
    const ways = isSafe && isUnary ? "POST or GET" : "POST";
    const facts = [
      `**${linkTo(page, method.input)} → ${linkTo(page, method.output)}**, ${kindInWords(call)}`,
      `for ${callersInWords(call)}; ${limitInWords(call)}`,
      `${ways} \`${path}\``,
      ...errorLine(page, ownErrors(call)),
    ];
    return [
      `### ${method.parent.name}.${method.name}`,
      callText(call),
      facts.map((fact) => `- ${fact}`).join("\n"),
    ];
  });
}

function errorLine(page: DescFile, reasons: readonly ErrorReason[]): string[] {
  if (reasons.length === 0) return [];
  return [`errors: ${reasons.map((reason) => linkToReason(page, reason)).join(", ")}`];
}

function linkToReason(page: DescFile, reason: ErrorReason): string {
  const anchor = (ErrorReasonSchema.value[reason]?.name ?? "").toLowerCase();
  const target =
    page.name === ErrorReasonSchema.file.name ? "" : linkToFile(page, ErrorReasonSchema.file);
  return `[${reasonName(reason)}](${target}#${anchor})`;
}
