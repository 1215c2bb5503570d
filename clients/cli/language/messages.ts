import { timestampDate } from "@bufbuild/protobuf/wkt";
import { ChatKind } from "../../../gen/ts/realmwire/v1/chat_pb.ts";
import type { ChatMessage } from "../../../gen/ts/realmwire/v1/chat_pb.ts";
import type { WorldFlag } from "../../ts/index.ts";
import { secondsOf } from "../errors.ts";
import { line, span } from "../terminal/line.ts";
import type { Line } from "../terminal/line.ts";
import { COLORS } from "../terminal/paint.ts";

/** Columns that the time takes in front of a message of today, for indenting the rest of a long one. */
export const TIME_COLUMNS = 9;

/** A message with its time and its sender. `self` is the name of the caller's character. */
export function chatLine(message: ChatMessage, self: string, now: Date): Line {
  const { kind, from, to, text } = message;
  const time = span(timeOf(message.time ? timestampDate(message.time) : now, now), { dim: true });
  const sender = span(from, { bold: true, color: from === self ? COLORS.cyan : COLORS.yellow });
  switch (kind) {
    case ChatKind.TELL: {
      const color = COLORS.magenta;
      return [time, sender, span(` → ${to}: `, { color }), span(text, { color })];
    }
    case ChatKind.SHOUT:
      return [time, sender, span(" shouts: "), span(text, { bold: true })];
    case ChatKind.ANNOUNCEMENT:
      return [time, span(`* ${text}`, { bold: true, color: COLORS.green })];
    default:
      return [time, sender, span(": "), span(text)];
  }
}

/** A word from the server itself, or of this client. */
export function noticeLine(text: string, now: Date): Line {
  return [span(timeOf(now, now), { dim: true }), span(`* ${text}`, { color: COLORS.green })];
}

/** Something that went wrong while nobody asked for it. */
export function troubleLine(text: string, now: Date): Line {
  return [span(timeOf(now, now), { dim: true }), span(`! ${text}`, { color: COLORS.red })];
}

/** What a flag says to people. Undefined: nothing. */
export function flagText(flag: WorldFlag): string | undefined {
  switch (flag.case) {
    case "map":
      return `the map of ${flag.value.zone} changed (revision ${flag.value.revision})`;
    case "client":
      return `client release ${flag.value.release?.version} for ${flag.value.release?.platform} is out`;
    case "drain": {
      const { stopsInMs, reason, canceled } = flag.value;
      if (canceled) return "the server goes on after all";
      const why = reason === "" || reason === "the server stops" ? "" : `: ${reason}`;
      return `the server stops in ${secondsOf(stopsInMs)}${why}`;
    }
    case "zone":
      return `you are in ${flag.value.zone} now`;
    case "slow":
      return flag.value.percent >= 100
        ? "the world runs at its normal speed again"
        : `the world runs slowly, at ${flag.value.percent}% of its speed`;
  }
}

/** A time of today, or with its date, in the machine's own zone; one space follows. */
function timeOf(time: Date, now: Date): string {
  const two = (value: number): string => `${value}`.padStart(2, "0");
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":");
  if (time.toDateString() === now.toDateString()) return `${clock} `;
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock} `;
}

/** A hint of this client. */
export function hintLine(text: string): Line {
  return line(text, { dim: true });
}
