/** Takes the folder that it is given, says so and keeps it. */
import { writeSync } from "node:fs";
import { lockFolder } from "../../server/store/folder-lock.ts";

lockFolder(process.argv[2] ?? "");
writeSync(1, "locked\n");
setInterval(() => {}, 60_000);
