import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { LogLineSchema } from "../../gen/ts/realmwire/internal/v1/zone_host_pb.ts";
import type { Bus, Subscription } from "../bus/bus.ts";
import type { Logger } from "../logger.ts";
import { logSubject } from "./thread-subjects.ts";

type Level = keyof Logger;
const LEVELS: readonly Level[] = ["debug", "info", "warn", "error"];

/** A logger whose lines go over the bus to whoever writes the log. */
export function createThreadLogger(bus: Bus, thread: string): Logger {
  const tell = (level: Level) => (fields: object, message: string) => {
    const line = create(LogLineSchema, { level, message, fields: JSON.stringify(fields, plain) });
    bus.publish(logSubject(thread), toBinary(LogLineSchema, line));
  };
  return { debug: tell("debug"), info: tell("info"), warn: tell("warn"), error: tell("error") };
}

/** Writes the lines of a thread to a log, each with the thread's name. */
export function writeThreadLog(bus: Bus, thread: string, logger: Logger): Subscription {
  return bus.subscribe(logSubject(thread), (bytes) => {
    const { level, message, fields } = fromBinary(LogLineSchema, bytes);
    const known = LEVELS.find((item) => item === level) ?? "error";
    logger[known]({ ...readFields(fields), thread }, message);
  });
}

interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (!(value instanceof Error)) return value;
  const { name, message, stack } = value;
  return { name, message, stack: stack ?? "" } satisfies PlainError;
}

function readFields(text: string): object {
  const { err, ...fields } = JSON.parse(text) as Record<string, unknown>;
  if (err === undefined) return fields;
  return { ...fields, err: isPlainError(err) ? Object.assign(new Error(err.message), err) : err };
}

function isPlainError(value: unknown): value is PlainError {
  return typeof value === "object" && value !== null && "stack" in value && "message" in value;
}
