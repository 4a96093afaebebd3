/**
 * perchd's own log: one JSON object a line, time in ISO 8601, errors with their causes, secrets taken out of every text
 * that goes in. It writes to a file descriptor in the process itself: no worker thread, no transport. `PERCH_LOG` sets
 * the level: trace, debug, info, warn, error, fatal or silent.
 */
import { writeSync } from "node:fs";
import { type DestinationStream, pino, stdSerializers, stdTimeFunctions } from "pino";
import { redact } from "./redact.ts";

/** `log.info({ machine: id }, "a sentence")` or only the sentence; an error goes in as the field `err`. */
export interface Say {
  (fields: object, sentence: string): void;
  (sentence: string): void;
}

export type Log = Record<"debug" | "info" | "warn" | "error", Say>;

const levels = new Set(["trace", "debug", "info", "warn", "error", "fatal", "silent"]);
const secretNames = /^(password|passwd|secrets?|sealed|value|token|authorization|env)$/i;

/** The level `PERCH_LOG` asks for; info where it asks for none that exists. */
export function logLevel(env: NodeJS.ProcessEnv): string {
  const asked = env["PERCH_LOG"]?.toLowerCase() ?? "";
  return levels.has(asked) ? asked : "info";
}

/**
 * The same fields with every text redacted and whatever is called like a secret hidden; six levels deep, which also
 * ends circles.
 */
export function withoutSecrets(fields: unknown, depth = 0): unknown {
  if (typeof fields === "string") return redact(fields);
  if (typeof fields !== "object" || fields === null) return fields;
  if (depth > 5) return "…";
  if (fields instanceof Error) return withoutSecrets({ ...stdSerializers.errWithCause(fields) }, depth);
  if (fields instanceof Date) return Number.isNaN(fields.getTime()) ? null : fields.toISOString();
  if (Array.isArray(fields)) return fields.map((item) => withoutSecrets(item, depth + 1));
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      secretNames.test(name) ? "***" : withoutSecrets(value, depth + 1),
    ]),
  );
}

/**
 * What cannot be written is dropped, and the next line tried again: a full disk ends no perchd, and room that comes
 * back is enough.
 */
const file = (fd: number): DestinationStream => ({
  write(line) {
    try {
      writeSync(fd, line);
    } catch {
      return; // as it says above
    }
  },
});

/**
 * Writes to the file descriptor (1 is standard output), every line before the call returns; or to anything with
 * `write`.
 */
export function openLog(to: number | DestinationStream, level: string = logLevel(process.env)): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Errors come here as plain objects already.
      serializers: { err: (error: unknown) => error },
    },
    typeof to === "number" ? file(to) : to,
  );
  const say =
    (at: keyof Log): Say =>
    (first: object | string, sentence?: string) => {
      if (!logger.isLevelEnabled(at)) return;
      if (typeof first === "string") logger[at](redact(first));
      else logger[at](withoutSecrets(first instanceof Error ? { err: first } : first), redact(sentence ?? ""));
    };
  return { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") };
}
