import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { DescService } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { checkGenerated } from "./check-generated.ts";
import { root } from "./command.ts";

/** The services of the public protocol, as they are generated. */
async function loadServices(): Promise<DescService[]> {
  const services: DescService[] = [];
  for await (const file of glob("gen/ts/realmwire/v1/*_service_pb.ts", { cwd: root })) {
    const exported = (await import(pathToFileURL(join(root, file)).href)) as Record<
      string,
      unknown
    >;
    for (const value of Object.values(exported)) {
      const isService = typeof value === "object" && value !== null && "methods" in value;
      if (isService) services.push(value as DescService);
    }
  }
  return services;
}

test("[SM-29] every call is documented, with its words, its role and its limit", async () => {
  const page = await readFile(join(root, "docs/api/README.md"), "utf8");
  const services = await loadServices();
  const calls = services.flatMap(({ methods }) => methods);
  expect(calls.length).toBeGreaterThan(20);
  for (const { parent, name, input, output } of calls) {
    const section = page.split(`\n### ${parent.name}.${name}\n`)[1]?.split(/\n##/)[0] ?? "";
    const [words = "", facts = ""] = section.split("\n- Takes ");
    expect(words.trim(), `${parent.name}.${name}`).toMatch(/^[A-Z].*\.$/s);
    expect(facts).toContain(`[${input.name}](#${input.name.toLowerCase()})`);
    expect(facts).toContain(`[${output.name}](#${output.name.toLowerCase()})`);
    expect(facts).toMatch(/\n- Needs .*(?:at once|the limit of)/);
  }
});

test("[SM-29] links lead to headings", async () => {
  const page = await readFile(join(root, "docs/api/README.md"), "utf8");
  const headings = [...page.matchAll(/^##+ (.+)$/gm)].map(([, text = ""]) =>
    text.toLowerCase().replaceAll(".", ""),
  );
  expect(new Set(headings).size).toBe(headings.length);
  const broken = [...page.matchAll(/\]\(#([^)]*)\)/g)].filter(
    ([, to = ""]) => !headings.includes(to),
  );
  expect(broken.map(([text]) => text)).toEqual([]);
});

test("[SM-29] the documentation is what the protos say today", async () => {
  expect(await checkGenerated()).toEqual({ kind: "passed" });
}, 60_000);
