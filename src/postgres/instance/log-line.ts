import { redact } from "../../base/redact.ts";

/** One line of PostgreSQL's JSON log, as Perch shows it. Pure. */
export interface LogLine {
  /** RFC 3339, in UTC. */
  at: string;
  /** PostgreSQL's word: LOG, WARNING, ERROR, FATAL, PANIC … */
  level: string;
  message: string;
  /** The address that a wrong password came from. */
  wrongPasswordFrom?: string;
}

/** Undefined for what is no whole line. Passwords are taken out. */
export function parseLogLine(text: string): LogLine | undefined {
  let line: Record<string, unknown> | null;
  try {
    line = JSON.parse(text) as typeof line;
  } catch {
    return undefined; // half a line, or none of PostgreSQL
  }
  const field = (name: string): string => (typeof line?.[name] === "string" ? line[name] : "");
  if (field("timestamp") === "") return undefined;
  const rest = ["detail", "hint", "context", "statement"]
    .filter((name) => field(name) !== "")
    .map((name) => `${name}: ${field(name)}`);
  const wrong =
    field("state_code") === "28P01" && field("remote_host") !== "" ? { wrongPasswordFrom: field("remote_host") } : {};
  return {
    at: timestamp(field("timestamp")),
    level: field("error_severity"),
    message: redact([field("message"), ...rest].join("; ")),
    ...wrong,
  };
}

/** `2026-11-24 06:32:36.123 UTC`: log_timezone is UTC. Before the settings are read, GMT. */
const timestamp = (text: string): string => text.replace(/^(\S+) (\S+) \S+$/, "$1T$2Z");
