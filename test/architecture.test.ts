import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  findBrokenImports,
  findCycles,
  findForbiddenImports,
  findForbiddenWords,
  findLongFiles,
  type ImportRule,
  isTest,
  type Sources,
} from "./support/architecture.ts";

/** What any part of the server but `sim` and `bus` may import. */
const COMMON = [
  "gen/ts/",
  "server/addresses.ts",
  "server/errors.ts",
  "server/failures.ts",
  "server/limiter.ts",
  "server/logger.ts",
  "server/maybe-promise.ts",
  "server/turns.ts",
  "package:",
  "node:",
];
/** The two interfaces that stand between the parts of a server and the world outside. */
const INTERFACES = ["server/store/store.ts", "server/bus/bus.ts"];

/** Who may import whom, besides its own folder. A file has the rule that fits it most closely; tests have none. */
const TABLE: readonly ImportRule[] = [
  // Pure: nothing but itself and generated types.
  { files: "server/sim/", may: ["gen/ts/", "package:@bufbuild/protobuf"] },
  // The implementations of the two interfaces know nobody.
  { files: "server/store/", may: COMMON },
  { files: "server/bus/", may: ["gen/ts/", "package:", "node:"] },
  // These know the simulation and the interfaces, and not each other.
  { files: "server/zone/", may: ["server/sim/", ...INTERFACES, ...COMMON] },
  { files: "server/account/", may: ["server/sim/", ...INTERFACES, ...COMMON] },
  { files: "server/release/", may: [...INTERFACES, ...COMMON] },
  { files: "server/backup/", may: [...INTERFACES, ...COMMON] },
  // The calls stand above them.
  {
    files: "server/rpc/",
    may: [
      "server/sim/",
      "server/zone/",
      "server/account/",
      "server/release/",
      "server/backup/",
      ...INTERFACES,
      ...COMMON,
    ],
  },
  // What a game may import: types and pure functions, no implementation.
  {
    files: "server/game.ts",
    may: ["server/sim/", "server/rpc/service.ts", ...INTERFACES, ...COMMON],
  },
  { files: "server/addresses.ts", may: ["node:"] },
  { files: "server/errors.ts", may: ["gen/ts/"] },
  { files: "server/failures.ts", may: ["gen/ts/", "server/errors.ts", "server/limiter.ts"] },
  { files: "server/limiter.ts", may: [] },
  { files: "server/logger.ts", may: ["package:", "node:"] },
  { files: "server/turns.ts", may: ["gen/ts/", "server/errors.ts"] },
  { files: "server/maybe-promise.ts", may: [] },
  { files: "server/garbage-collection.ts", may: ["node:"] },
  { files: "server/log-destination.ts", may: ["node:"] },
  { files: "server/lifecycle.ts", may: ["server/logger.ts"] },
  {
    files: "server/config.ts",
    may: ["server/limit-settings.ts", "server/setting-rules.ts", ...COMMON],
  },
  { files: "server/limit-settings.ts", may: ["server/setting-rules.ts", ...COMMON] },
  { files: "server/setting-rules.ts", may: ["package:"] },
  { files: "server/start-failure.ts", may: COMMON },
  // Reads a game as the simulation and the zones need it.
  {
    files: "server/load-game.ts",
    may: ["server/game.ts", "server/sim/", "server/zone/", ...COMMON],
  },
  // Measures, and knows nobody but the store's interface.
  { files: "server/metrics/", may: ["server/store/store.ts", ...COMMON] },
  // Stands around the calls and the store, and is loaded only when it is asked for.
  {
    files: "server/tracing/",
    may: [
      "server/config.ts",
      "server/metrics/watched-store.ts",
      "server/rpc/pipeline/pipeline.ts",
      ...COMMON,
    ],
  },
  // The composition root of a thread, and those who start it.
  {
    files: "server/threads/",
    may: [
      "server/bus/",
      "server/zone/",
      "server/metrics/tick-times.ts",
      "server/load-game.ts",
      ...COMMON,
    ],
  },
  // What the composition roots have in common.
  {
    files: "server/world-parts.ts",
    may: ["server/config.ts", "server/load-game.ts", "server/sim/", "server/store/", ...COMMON],
  },
  // The composition root of what operators do while no server runs.
  { files: "server/offline/", may: ["server/", ...COMMON] },
  // The composition root, and the program around it.
  { files: "server/server.ts", may: ["server/", ...COMMON] },
  {
    files: "server/main.ts",
    may: [
      "server/server.ts",
      "server/config.ts",
      "server/garbage-collection.ts",
      "server/load-game.ts",
      "server/log-destination.ts",
      "server/start-failure.ts",
      "server/tracing/load-tracing.ts",
      "package:",
      "node:",
    ],
  },
  // Tools that make a game's maps and pictures: no part of the game, but they read maps as the server does.
  {
    files: "games/*/make/",
    may: ["games/", "server/zone/tiled/tiled.ts", "gen/ts/", "package:", "node:"],
  },
  { files: "games/*/", may: ["server/game.ts", "gen/ts/", "package:", "node:"] },
  // The operators' tool: what needs no running server is done by the server's own parts.
  {
    files: "clients/admin/",
    may: [
      "clients/ts/",
      "clients/cli/",
      "server/backup/",
      "server/offline/",
      "gen/ts/",
      "package:",
      "node:",
    ],
  },
  // Runs in browsers too: nothing of Node, nor of the clients that need it.
  { files: "clients/ts/", may: ["gen/ts/", "server/sim/movement.ts", "package:"] },
  // Only its tests use these.
  { files: "clients/ts/testing/", may: ["clients/ts/", "gen/ts/", "package:", "node:"] },
  {
    files: "clients/",
    may: ["gen/ts/", "server/sim/movement.ts", "package:", "node:"],
  },
];

/** What makes a simulation depend on more than its inputs. */
const IMPURE: readonly RegExp[] = [
  /\bMath\.random\b/,
  /(?<!\.)\b(?:Date|performance|process|crypto|console|globalThis|fetch)\b/,
  /(?<!\.)\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/,
  /(?<!\.)\b(?:Promise|async|await)\b/,
];

/** Past it a file says why it is one piece. */
const MAX_LINES = 400;

const root = join(import.meta.dirname, "..");
const all = read("{server,games,clients,test,scripts}/**/*.ts");
const bound = keep(all, (path) => /^(?:server|games|clients)\//.test(path));
const server = keep(all, (path) => path.startsWith("server/") && !isTest(path));

function read(pattern: string): Sources {
  const paths = globSync(pattern, { cwd: root }).map((path) => path.replaceAll("\\", "/"));
  const own = paths.filter((path) => !/(?:^|\/)(?:node_modules|dist)\//.test(path));
  return new Map(own.toSorted().map((path) => [path, readFileSync(join(root, path), "utf8")]));
}

function keep(sources: Sources, wanted: (path: string) => boolean): Sources {
  return new Map([...sources].filter(([path]) => wanted(path)));
}

test("there is something to check", () => {
  expect(server.has("server/bus/bus.ts")).toBe(true);
  expect(all.has("test/architecture.test.ts")).toBe(true);
});

test("everybody imports only what the table allows", () => {
  expect(findForbiddenImports(bound, TABLE)).toEqual([]);
});

test("imports carry the ending .ts, and lead to a file", () => {
  expect(findBrokenImports(all, (path) => existsSync(join(root, path)))).toEqual([]);
});

test("no circles of imports in the server", () => {
  expect(findCycles(server)).toEqual([]);
});

test("the simulation is pure", () => {
  const sim = keep(server, (path) => path.startsWith("server/sim/"));
  expect(findForbiddenWords(sim, IMPURE)).toEqual([]);
});

test("long files say why", () => {
  expect(findLongFiles(server, MAX_LINES)).toEqual([]);
});

/** The table and the checks, held against examples: they must find what is wrong, and nothing else. */
const sources = (files: Record<string, string>): Sources => new Map(Object.entries(files));

test.each([
  ["server/sim/zone.ts", 'import { x } from "../store/store.ts";'],
  ["server/sim/zone.ts", 'import { readFile } from "node:fs";'],
  ["server/sim/zone.ts", 'import type { DomainError } from "../errors.ts";'],
  ["server/sim/zone.ts", 'import { pino } from "pino";'],
  ["server/store/pglite.ts", 'import type { Bus } from "../bus/bus.ts";'],
  ["server/bus/nats-bus.ts", 'import { DomainError } from "../errors.ts";'],
  ["server/zone/runner.ts", 'import type { Call } from "../rpc/service.ts";'],
  ["server/zone/runner.ts", 'export { x } from "../account/session.ts";'],
  ["server/account/accounts.ts", 'import {\n  createStore,\n} from "../store/pglite.ts";'],
  ["server/rpc/world.ts", 'const bus = await import("../bus/local-bus.ts");'],
  ["server/rpc/world.ts", 'type Bus = import("../bus/local-bus.ts").LocalBus;'],
  ["server/main.ts", 'import "./zone/runner.ts";'],
  ["server/game.ts", 'import { x } from "./zone/runner.ts";'],
  ["server/misc/thing.ts", ""],
  ["games/meadow/game.ts", 'import { x } from "../../server/sim/zone.ts";'],
  ["games/meadow/scripts/hen.ts", 'import { x } from "../../../server/errors.ts";'],
  ["games/meadow/game.ts", 'import { x } from "../cosmmos/game.ts";'],
  ["clients/ts/client.ts", 'import { x } from "../../server/sim/zone.ts";'],
  ["clients/ts/client.ts", 'import { updateFolder } from "../updater/index.ts";'],
  ["clients/web/main.ts", 'import { x } from "../../games/meadow/game.ts";'],
])("the table refuses in %s: %s", (path, source) => {
  expect(findForbiddenImports(sources({ [path]: source }), TABLE)).toHaveLength(1);
});

test.each([
  ["server/sim/zone.ts", 'import { create } from "@bufbuild/protobuf/wkt";\nimport "./grid.ts";'],
  ["server/sim/zone.ts", '// import { x } from "../store/store.ts";'],
  ["server/sim/zone.ts", 'const text = `import { x } from "../store/store.ts";`;'],
  ["server/zone/runner.ts", 'import type { Store } from "../store/store.ts";'],
  ["server/rpc/world.ts", 'import type { Zone } from "../zone/runner.ts";'],
  [
    "server/server.ts",
    'import { x } from "./bus/nats-bus.ts";\nimport { y } from "./rpc/port.ts";',
  ],
  ["server/zone/runner.test.ts", 'import { createLocalBus } from "../bus/local-bus.ts";'],
  ["games/meadow/scripts/hen.ts", 'import { defineScript } from "../../../server/game.ts";'],
  ["clients/ts/client.ts", 'import { stepMove } from "../../server/sim/movement.ts";'],
])("the table allows in %s: %s", (path, source) => {
  expect(findForbiddenImports(sources({ [path]: source }), TABLE)).toEqual([]);
});

test("the checks tell where: forbidden imports, broken ones, circles", () => {
  const example = sources({
    "server/sim/a.ts": 'import { b } from "./b.ts";\n\nimport { x } from "../errors.ts";\n',
    "server/sim/b.ts": 'import type { c } from "./c.ts";\n',
    "server/sim/c.ts": 'export * from "./a.ts";\nimport g from "../../gen/ts/g_pb.js";\n',
    "server/sim/d.ts": 'import { a } from "./a.ts";\n',
  });
  expect(findForbiddenImports(example, TABLE)).toEqual([
    "server/sim/a.ts:3 must not import server/errors.ts",
  ]);
  expect(findBrokenImports(example, (path) => example.has(path))).toEqual([
    "server/sim/a.ts:3 imports ../errors.ts, which does not exist",
    "server/sim/c.ts:2 imports ../../gen/ts/g_pb.js without the ending .ts",
  ]);
  expect(findCycles(example)).toEqual([
    "server/sim/a.ts → server/sim/b.ts → server/sim/c.ts → server/sim/a.ts",
  ]);
});

test.each([
  "const now = Date.now();",
  "const dice = Math.random();",
  "setTimeout(step, 50);",
  "const text = `at ${performance.now()}`;",
  "const half = a / 2; const later = Promise.resolve(); // half / 2",
  "export async function load() {}",
  'if (/"/.test(text)) process.exit();',
  "console.log(1);",
])("not pure: %s", (source) => {
  expect(findForbiddenWords(sources({ "server/sim/x.ts": `\n${source}` }), IMPURE)).toHaveLength(1);
});

test.each([
  "// Date, Math.random and await stay outside.",
  "/* setTimeout\n * process */ const updated = 1;",
  'const text = "await \\" Date";',
  "const text = `Date ${count} async`;",
  "const rule = /Date|[/]await/;",
  "task.process();",
])("pure: %s", (source) => {
  expect(findForbiddenWords(sources({ "server/sim/x.ts": source }), IMPURE)).toEqual([]);
});

test("a long file is found, unless it says why it is one piece", () => {
  const long = "x();\n".repeat(MAX_LINES + 1);
  const files = sources({
    "server/long.ts": long,
    "server/explained.ts": `// Kept in one piece, because the rules lean on each other.\n${long}`,
    "server/fits.ts": "x();\n".repeat(MAX_LINES),
  });
  expect(findLongFiles(files, MAX_LINES)).toEqual([
    "server/long.ts has 401 lines and does not say at its top why it is one piece",
  ]);
});
