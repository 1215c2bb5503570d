import type { UpdateProgress } from "./update-folder.ts";

const BAR_WIDTH = 24;
/** Without a terminal, a line is written each time so much more has come, as a part of the whole. */
const STEP = 0.25;
const ERASE_LINE = "\r\u001b[K";

/** Shows how far an update is. */
export interface ProgressText {
  show(progress: UpdateProgress): void;
  /** Takes away what is only for the moment. */
  end(): void;
}

/** Shows progress on a stream: as a bar on a terminal, otherwise as a line now and then. */
export function createProgressText(options: {
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
}): ProgressText {
  const { isTerminal, write } = options;
  let shown = "";
  let kind = "";
  let told = 0;

  function showBar(text: string): void {
    if (text === shown) return;
    shown = text;
    write(`${ERASE_LINE}${text}`);
  }

  function showLine(progress: UpdateProgress): void {
    const part = partOf(progress);
    if (progress.kind === kind && progress.kind !== "waiting" && part < told + STEP) return;
    kind = progress.kind;
    told = part;
    write(`${describe(progress)}\n`);
  }

  return {
    show(progress) {
      if (!isTerminal) showLine(progress);
      else if (progress.kind === "downloading" || progress.kind === "checking") {
        const filled = Math.round(partOf(progress) * BAR_WIDTH);
        const bar = "#".repeat(filled).padEnd(BAR_WIDTH, ".");
        showBar(`[${bar}] ${describe(progress)}`);
      } else showBar(describe(progress));
    },
    end() {
      if (isTerminal && shown !== "") write(ERASE_LINE);
      shown = "";
    },
  };
}

/** How much of it is done, from 0 to 1. */
function partOf(progress: UpdateProgress): number {
  if (progress.kind !== "checking" && progress.kind !== "downloading") return 0;
  return progress.totalBytes === 0 ? 1 : progress.bytes / progress.totalBytes;
}

function describe(progress: UpdateProgress): string {
  switch (progress.kind) {
    case "checking":
      return `checking ${percent(progress)}`;
    case "downloading": {
      const { bytes, totalBytes } = progress;
      return `downloading ${percent(progress)}, ${formatBytes(bytes)} of ${formatBytes(totalBytes)}`;
    }
    case "waiting": {
      const seconds = (progress.retryInMs / 1000).toFixed(1);
      return `${printable(progress.error.message)}; trying again in ${seconds} s`;
    }
    case "installing":
      return "installing";
  }
}

function percent(progress: UpdateProgress): string {
  return `${Math.floor(partOf(progress) * 100)} %`;
}

/** A number of bytes for people. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB"];
  let [value, unit] = [bytes / 1024, 0];
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${value.toFixed(1)} ${units[unit]}`;
}

/** A text from outside without what would control a terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, " ");
}
