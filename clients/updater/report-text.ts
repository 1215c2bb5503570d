import { formatBytes, printable } from "./progress-text.ts";
import type { UpdateCheck, UpdateReport } from "./update-folder.ts";

/** How many paths of a kind are listed. */
const MAX_LISTED = 20;

/** What has changed, in words. */
export function describeReport(report: UpdateReport, folder: string): string {
  const { platform, version, versionBefore, upToDate, bytes, renamed } = report;
  if (upToDate) return `${platform} ${version} is in ${folder}: up to date\n`;
  const before =
    versionBefore === undefined || versionBefore === version ? "" : ` (it was ${versionBefore})`;
  const lines = [
    `${platform} ${version} is in ${folder} now${before}: ${counts(report)}, ${formatBytes(bytes)} fetched`,
    ...list(
      "your own files that were in the way",
      renamed,
      ({ from, to }) => `${from} is now ${to}`,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

/** What would change, in words. */
export function describeCheck(check: UpdateCheck, folder: string): string {
  const { platform, version, versionBefore, upToDate, bytes, added, changed, removed } = check;
  if (upToDate) return `${platform} ${version} is in ${folder}: up to date\n`;
  const before =
    versionBefore === undefined || versionBefore === version ? "" : ` instead of ${versionBefore}`;
  const lines = [
    `${folder} would become ${platform} ${version}${before}: ${counts(check)}, ${formatBytes(bytes)} to fetch`,
    ...list("added", added),
    ...list("changed", changed),
    ...list("removed", removed),
  ];
  return `${lines.join("\n")}\n`;
}

function counts({ added, changed, removed }: UpdateCheck): string {
  return `${added.length} added, ${changed.length} changed, ${removed.length} removed`;
}

function list<T>(
  title: string,
  items: readonly T[],
  toText: (item: T) => string = String,
): string[] {
  if (items.length === 0) return [];
  const shown = items.slice(0, MAX_LISTED).map((item) => `  ${printable(toText(item))}`);
  const rest = items.length - shown.length;
  return [`${title}:`, ...shown, ...(rest > 0 ? [`  and ${rest} more`] : [])];
}
