// Writes docs/access.md, the table of who may call what and who may see and set which attribute.
import { writeAccessTable } from "./access-table.ts";

await writeAccessTable();
