// Writes docs/reference: a page for each proto file, and the unary calls as OpenAPI.
import { writeReference } from "./reference/reference-files.ts";

await writeReference();
