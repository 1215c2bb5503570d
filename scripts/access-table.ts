import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Role } from "../gen/ts/realmwire/v1/options_pb.ts";
import {
  ASKERS,
  type AttributeRow,
  attributeRows,
  CALLERS,
  type CallRow,
  callRows,
} from "./access-matrix.ts";
import { type CheckResult, root } from "./command.ts";
import { loadRuledTypes, type RuledTypes } from "./generated-files.ts";

/** Where the table stands in the project. */
const FILE = "docs/access.md";

const HEAD = `# Who may do what

Generated from the options in the protos by \`npm run generate\`; \`npm run check\` compares. Edit the protos instead.

## Calls

A limit is kept for each session where a call needs a login, else for each network address. "at once" is what
may be called after a pause, "a second" what can be sustained.`;

const ATTRIBUTES = `## Attributes

What Get tells, the update stream brings and Set takes; what only an admin sees is told by Get alone. The **owner** is the character itself, or the character that a thing
belongs to; a **stranger** is any other player, and **party** who is in the owner's. A **builder** or an **admin** who owns the thing may also do what owners may.
Whoever sets an attribute is told its value in the answer. *stored*: it survives a restart.`;

/** The table of all calls and attributes, in Markdown. Throws an `Error` that names what has no rule. */
export function accessTable({ services, components }: RuledTypes): string {
  const calls = callRows(services);
  const attributes = attributeRows(components);
  const callTables = services
    .filter(({ methods }) => methods.some((method) => calls.some((row) => row.method === method)))
    .map((service) => callTable(service.typeName, rowsOf(calls, service.typeName)));
  const attributeTables = components.map((component) =>
    attributeTable(
      component.typeName,
      attributes.filter((row) => row.component === component),
    ),
  );
  return `${[HEAD, ...callTables, ATTRIBUTES, ...attributeTables].join("\n\n")}\n`;
}

function rowsOf(calls: readonly CallRow[], service: string): CallRow[] {
  return calls.filter(({ method }) => method.parent.typeName === service);
}

function callTable(service: string, rows: readonly CallRow[]): string {
  const lines = rows.map(({ method, access, may }) => [
    `\`${method.name}\``,
    ...CALLERS.map((caller) => (may[caller] ? "yes" : "–")),
    limitOf(method.name, access),
  ]);
  return `### ${service}\n\n${table(["call", ...CALLERS, "limit"], lines)}`;
}

function limitOf(name: string, { role, perSecond, burst, limitOf, counted }: CallRow["access"]) {
  const shared = limitOf.name === name ? "" : `, shared with ${limitOf.name}`;
  const items = counted === undefined ? "" : `, each of \`${counted}\` counts`;
  const keeper = role === Role.ANONYMOUS ? "address" : "session";
  return `${perSecond} a second, ${burst} at once for each ${keeper}${shared}${items}`;
}

function attributeTable(component: string, rows: readonly AttributeRow[]): string {
  const lines = rows.map(({ field, sees, sets, persists }) => [
    `\`${field.name}\``,
    ...ASKERS.map((asker) => cell(sees[asker], sets[asker])),
    persists ? "yes" : "–",
  ]);
  return `### ${component}\n\n${table(["attribute", ...ASKERS, "stored"], lines)}`;
}

function cell(sees: boolean, sets: boolean): string {
  if (sees && sets) return "sees, sets";
  if (sees) return "sees";
  return sets ? "sets" : "–";
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

/** Writes the table of what is generated. */
export async function writeAccessTable(): Promise<void> {
  await writeFile(join(root, FILE), accessTable(await loadRuledTypes()));
}

/** Checks that the committed table is what the protos give today. */
export async function checkAccessTable(): Promise<CheckResult> {
  const committed = await readFile(join(root, FILE), "utf8").catch(() => "");
  if (committed === accessTable(await loadRuledTypes())) return { kind: "passed" };
  return { kind: "failed", output: `${FILE} is out of date, or was edited` };
}
