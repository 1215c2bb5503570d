import { ErrorReason } from "../../../gen/ts/realmwire/v1/error_pb.ts";
import { Role, Writer } from "../../../gen/ts/realmwire/v1/options_pb.ts";
import type { Session } from "../../account/session.ts";
import { DomainError } from "../../errors.ts";
import { VIEWER_NEAR, VIEWER_OWNER } from "../../sim/components.ts";
import type { AttributeField } from "../../sim/components.ts";
import { nameKey } from "../../store/store.ts";
import type { Target } from "./attribute-targets.ts";

/** What the rules ask of something that has attributes. */
export type Ruled = Pick<Target, "name" | "owner">;

/** Whether the caller plays the character that owns the target. */
export function isOwner(session: Session, { owner }: Ruled): boolean {
  const own = session.character?.name;
  return own !== undefined && owner !== "" && nameKey(own) === nameKey(owner);
}

/** The rule of `visible`: denied by default, an admin sees everything. */
export function maySee(session: Session, target: Ruled, { seenFrom }: AttributeField): boolean {
  if (session.role >= Role.ADMIN) return true;
  const viewer = isOwner(session, target) ? VIEWER_OWNER : VIEWER_NEAR;
  return seenFrom !== undefined && seenFrom <= viewer;
}

/** The rule of `write`: denied by default, an admin writes everything. */
export function mayWrite(session: Session, target: Ruled, { rule }: AttributeField): boolean {
  if (session.role >= Role.ADMIN) return true;
  if (rule.write === Writer.OWNER) return isOwner(session, target);
  return rule.write === Writer.BUILDER && session.role >= Role.BUILDER;
}

/** The error of who may not. */
export function forbidden({ name }: Ruled, attribute: string): DomainError {
  return new DomainError(
    ErrorReason.ATTRIBUTE_FORBIDDEN,
    `${attribute} of ${name} is not for you`,
    {
      metadata: { attribute, name },
    },
  );
}
