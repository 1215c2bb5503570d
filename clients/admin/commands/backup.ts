import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Command } from "commander";
import {
  type BackupHeader,
  BackupHeaderSchema,
} from "../../../gen/ts/realmwire/v1/admin_service_pb.ts";
import { backUpFolder } from "../../../server/offline/back-up-folder.ts";
import { writeBackup, type WrittenBackup } from "../../../server/backup/backup-file.ts";
import { restoreBackup } from "../../../server/offline/restore.ts";
import { UsageError } from "../errors.ts";
import { confirm } from "../io.ts";
import { addData, dataOf } from "../places.ts";
import { describeBytes, startProgress } from "../progress.ts";
import { asAdmin } from "../session.ts";
import type { AddAction, Tool } from "../tool.ts";

interface BackupOptions {
  readonly data: string;
  readonly offline?: true;
}

interface RestoreOptions {
  readonly data: string;
  readonly force?: true;
}

type OnBytes = (done: bigint, of: bigint) => void;

/** Adds backups of the embedded database, and what brings them back. */
export function addBackup(program: Command, add: AddAction): void {
  const backup = program
    .command("backup <file>")
    .description("back the embedded database up, while the server runs or from its folder")
    .option("--offline", "from the folder of a server that does not run");
  add(
    addData(backup).addHelpText(
      "after",
      `
A running server is asked for it (--url) and goes on; its database stands still for a moment, which is told. The backup shows
the world at that moment. It holds everything but the client releases in their folder. With PostgreSQL use pg_dump.`,
    ),
    backUp,
  );
  const restore = program
    .command("restore <file>")
    .description("put a backup into the data folder of a server that does not run")
    .option("--force", "replace the database that is there; it is kept beside");
  add(addData(restore), bringBack);
}

async function backUp(tool: Tool, [path = ""]: string[], options: BackupOptions): Promise<void> {
  const file = resolve(path);
  if (existsSync(file)) throw new UsageError(`${file} is there already: choose another name`);
  const { header, bytes } = await withProgress(tool, "backed up", (onBytes) =>
    options.offline
      ? backUpFolder({ data: dataOf(options), file, server: release(), onBytes })
      : asAdmin(tool, tool.settings, ({ admin }) => writeBackup(file, admin.backup({}), onBytes)),
  );
  const pause = options.offline ? "" : `; the database stood still for ${header.pausedMs} ms`;
  tool.print(
    [`${file}: ${describe(header)}, ${describeBytes(bytes)}${pause}`],
    dataOfBackup({ header, bytes }, file),
  );
}

async function bringBack(
  tool: Tool,
  [path = ""]: string[],
  options: RestoreOptions,
): Promise<void> {
  const { force = false } = options;
  const data = dataOf(options);
  await confirm(tool, tool.settings.yes, `Put ${path} into ${data}?`);
  const { header, previous } = await withProgress(tool, "restored", (onBytes) =>
    restoreBackup({ data, file: resolve(path), force, onBytes }),
  );
  const lines = [`restored into ${data}: ${describe(header)}`];
  if (previous !== undefined) lines.push(`what was there before is kept: ${previous}`);
  tool.print(lines, { header: toJson(BackupHeaderSchema, header), data, previous });
}

async function withProgress<T>(
  tool: Tool,
  done: string,
  work: (onBytes: OnBytes) => Promise<T>,
): Promise<T> {
  const progress = startProgress(tool);
  try {
    return await work((bytes, of) => {
      progress.set(`${describeBytes(bytes)} of ${describeBytes(of)} ${done}`);
    });
  } finally {
    progress.end();
  }
}

function describe({ takenAt, game, bytes, server }: BackupHeader): string {
  const time = takenAt ? timestampDate(takenAt).toISOString() : "";
  const world = game === "" ? "the world" : `the world of "${game}"`;
  return `${world} as it was at ${time}, release ${server}, ${describeBytes(bytes)}`;
}

function dataOfBackup({ header, bytes }: WrittenBackup, file: string): object {
  return { header: toJson(BackupHeaderSchema, header), bytes, file };
}

/** This release. */
function release(): string {
  const file = new URL("../../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
