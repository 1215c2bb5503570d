import { Command } from "commander";
import { addBackup } from "./commands/backup.ts";
import { addBans } from "./commands/bans.ts";
import { addCreateAdmin } from "./commands/create-admin.ts";
import { addLogin } from "./commands/login.ts";
import { addPublish } from "./commands/publish.ts";
import { addRecordings } from "./commands/recordings.ts";
import { addUsers } from "./commands/users.ts";
import { addWorld } from "./commands/world.ts";
import type { Io } from "./io.ts";
import { addSettings } from "./settings.ts";
import { createAddAction } from "./tool.ts";

const NOTES = `
The session: commands go on with the one that the first of them, or login, began. It is kept for you alone to read in
$XDG_STATE_HOME/realmwire (~/.local/state/realmwire) until logout. The password is asked for, or comes from
REALMWIRE_PASSWORD; it is never an argument. Each command has more options: admin <command> --help

Exit codes: 0 done, 1 refused or failed, 2 a wrong command line, 3 no server answers, 130 ended by Ctrl-C or "no".`;

/** The command line. */
export function createProgram(io: Io): Command {
  const program = new Command("realmwire-admin")
    .usage("[options] <command> …   (with npm: npm run admin -- [options] <command> …)")
    .description(
      "Runs a Realmwire server: accounts, bans, announcements, stops, backups, recordings.",
    )
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", NOTES);
  addSettings(program);
  const add = createAddAction(io);
  addLogin(program, add);
  addUsers(program, add);
  addBans(program, add);
  addWorld(program, add);
  addPublish(program, add);
  addBackup(program, add);
  addRecordings(program, add);
  addCreateAdmin(program, add);
  return program;
}
