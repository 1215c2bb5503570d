import { posix } from "node:path";
import { create, type DescField, type MessageInitShape, setExtension } from "@bufbuild/protobuf";
import { FieldDescriptorProtoSchema, FieldOptionsSchema } from "@bufbuild/protobuf/wkt";
import { beforeAll, expect, test } from "vitest";
import { Health } from "../../gen/ts/grpc/health/v1/health_pb.ts";
import { field as fieldOption, FieldRulesSchema } from "../../gen/ts/buf/validate/validate_pb.ts";
import { PurseSchema } from "../../gen/ts/meadow/v1/components_pb.ts";
import { ListZonesRequestSchema } from "../../gen/ts/realmwire/v1/zone_service_pb.ts";
import {
  MoveRequestSchema,
  NewRequestSchema,
  UpgradeRequestSchema,
} from "../../gen/ts/realmwire/v1/world_service_pb.ts";
import { attributeInWords } from "./attribute-rule.ts";
import { boundsInWords, boundsOf } from "./bounds.ts";
import { anchorOf, pageOf } from "./markdown.ts";
import { loadProtocol, type Protocol } from "./protocol.ts";
import { checkReference, referenceFiles } from "./reference-files.ts";

let protocol: Protocol;
let files: ReadonlyMap<string, string>;

beforeAll(async () => {
  protocol = await loadProtocol();
  files = referenceFiles(protocol, "1.2.3");
});

test("docs/reference is what the protos give", async () => {
  expect(await checkReference()).toEqual({ kind: "passed" });
});

test("it has public protos only, and every field, value and call of them", () => {
  const names = protocol.files.map(({ name }) => name);
  expect(names).toContain("realmwire/v1/world_service");
  expect(names).toContain("meadow/v1/components");
  expect(names.filter((name) => /internal|grpc|buf|google/.test(name))).toEqual([]);
  for (const file of protocol.files) {
    const page = files.get(pageOf(file)) ?? "";
    for (const { fields } of file.messages) {
      for (const field of fields) expect(page).toContain(`| \`${field.name}\` | ${field.number} |`);
    }
    for (const { values } of file.enums) {
      for (const value of values) expect(page).toContain(`\`${value.name}\` | ${value.number} |`);
    }
    for (const { name, methods } of file.services) {
      for (const method of methods) expect(page).toContain(`### ${name}.${method.name}\n`);
    }
  }
});

/** The anchors of a page: those of its headings as GitHub makes them, and those that it sets itself. */
function anchorsOf(page: string): Set<string> {
  const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => anchorOf(heading));
  expect(new Set(headings).size, "two headings have the same anchor").toBe(headings.length);
  return new Set([
    ...headings,
    ...[...page.matchAll(/<a id="([^"]+)">/g)].map(([, id = ""]) => id),
  ]);
}

test("every link in it leads somewhere", () => {
  let links = 0;
  for (const [path, page] of files) {
    if (!path.endsWith(".md")) continue;
    for (const [, target = ""] of page.matchAll(/\]\(([^)\s]+)\)/g)) {
      const [file = "", anchor] = target.split("#");
      const to = file === "" ? path : posix.join(posix.dirname(path), file);
      if (to.startsWith("..")) continue;
      links++;
      const content = files.get(to);
      expect(content, `${path} links to ${target}`).toBeDefined();
      if (anchor !== undefined) {
        expect(anchorsOf(content ?? ""), `${path} links to ${target}`).toContain(anchor);
      }
    }
  }
  expect(links).toBeGreaterThan(200);
});

test("a call's section says who may make it, how often and what it fails with", () => {
  const page = files.get("realmwire/v1/world_service.md") ?? "";
  const [section = ""] = /^### WorldService\.Edit\n[^]*?(?=^###)/m.exec(page) ?? [];
  expect(section).toContain("[EditRequest](#editrequest) → [EditResponse](#editresponse)");
  expect(section).toContain("for builders; 20 a second, 100 at once for each session");
  expect(section).toContain("[EDIT_REFUSED](error.md#error_reason_edit_refused)");
  expect(page).toContain("together with Move; each of `moves` counts");
  expect(page).toContain("a stream of requests, one answer");
});

test("bounds are told in words", () => {
  const { name, email } = NewRequestSchema.field;
  expect(boundsInWords(boundsOf(name))).toMatch(/^2 to 24 characters; must be letters/);
  expect(boundsInWords(boundsOf(email))).toBe(
    "at most 254 characters; an e-mail address; or empty",
  );
  expect(boundsInWords(boundsOf(MoveRequestSchema.field.moves))).toBe("at most 32 items");
  expect(boundsInWords(boundsOf(ListZonesRequestSchema.field.pageSize))).toBe("0 to 100");
  expect(boundsInWords(boundsOf(UpgradeRequestSchema.field.have))).toBe(
    "at most 10,000 items; each 32 bytes",
  );
  expect(boundsInWords(boundsOf(Health.method.check.input.field.service))).toBe("");
});

/** A field with other rules. */
function fieldWith(type: MessageInitShape<typeof FieldRulesSchema>["type"]): DescField {
  const options = create(FieldOptionsSchema);
  setExtension(options, fieldOption, create(FieldRulesSchema, { ...(type && { type }) }));
  const proto = create(FieldDescriptorProtoSchema, { options });
  const { name } = NewRequestSchema.field;
  return { ...name, proto, toString: () => name.toString() };
}

test("a rule that the reference could not tell is an error", () => {
  const known = fieldWith({ case: "string", value: { maxLen: 3n } });
  expect(boundsInWords(boundsOf(known))).toBe("at most 3 characters");
  const prefix = fieldWith({ case: "string", value: { prefix: "a" } });
  expect(() => boundsOf(prefix)).toThrow(/NewRequest\.name: the rule string\.prefix is not known/);
  const greater = fieldWith({ case: "int32", value: { greaterThan: { case: "gt", value: 1 } } });
  expect(() => boundsOf(greater)).toThrow(/the rule int32\.gt is not known/);
  const other = fieldWith({ case: "fixed64", value: {} });
  expect(() => boundsOf(other)).toThrow(/rules for fixed64 are not known/);
});

test("the rules of attributes are told in words", () => {
  expect(attributeInWords(PurseSchema.field.gold)).toBe(
    "seen by the owner, set by builders, stored",
  );
  expect(attributeInWords(PurseSchema.field.luck)).toBe("seen by admins, set by admins, stored");
});
