import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** The packages that the SDK and the updater import. */
const CLIENT_PACKAGES = ["@bufbuild/protobuf", "@connectrpc/connect", "@connectrpc/connect-web"];

const PackageFile = z.object({
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
});

/**
 * The `package.json` of the server's own SDK as a release: with the packages that it needs, in the versions that the server was
 * tested with, and the command by which it updates itself.
 */
export async function createClientPackage(options: {
  /** The server's own folder. */
  readonly root: string;
  readonly version: string;
}): Promise<string> {
  const text = await readFile(join(options.root, "package.json"), "utf8");
  const { dependencies, devDependencies } = PackageFile.parse(JSON.parse(text));
  const pinned = { ...devDependencies, ...dependencies };
  const content = {
    name: "realmwire-client",
    version: options.version,
    private: true,
    type: "module",
    scripts: { "update-client": "node clients/updater/main.ts" },
    dependencies: Object.fromEntries(CLIENT_PACKAGES.map((name) => [name, pinned[name]])),
    engines: { node: ">=24" },
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}
