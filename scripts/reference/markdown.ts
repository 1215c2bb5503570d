import { posix } from "node:path";
import type { DescEnum, DescFile, DescMessage } from "@bufbuild/protobuf";

/** The page that lists all others. */
export const INDEX_PAGE = "README.md";

/** The page of a file, below the reference's folder. */
export function pageOf(file: DescFile): string {
  return `${file.name}.md`;
}

/** A link from the page of a file to that of another one; to the index without one. */
export function linkToFile(from: DescFile, to: DescFile | undefined): string {
  return posix.relative(posix.dirname(pageOf(from)), to ? pageOf(to) : INDEX_PAGE);
}

/** A link to a message or an enum. Types of others have no page: their full name stands there. */
export function linkTo(from: DescFile, to: DescMessage | DescEnum): string {
  if (to.typeName.startsWith("google.")) return `\`${to.typeName}\``;
  const page = to.file === from ? "" : linkToFile(from, to.file);
  return `[${to.name}](${page}#${anchorOf(to.name)})`;
}

/** The anchor that GitHub gives a heading. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
}

/** A table. Its cells are to have no line breaks. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

/** A comment as the content of a cell. */
export function cell(text: string): string {
  return text.replaceAll("\n\n", "<br>");
}
