import type { Home } from "../host/system/home.ts";
import { layout } from "../postgres/instance/directory.ts";
import type { LogLine } from "../postgres/instance/log-line.ts";
import { beginLog } from "../postgres/instance/logs.ts";
import { beginStartLog } from "../postgres/instance/start-log.ts";

export interface BegunLog {
  past: LogLine[];
  /** What comes after that, until the signal aborts. */
  follow(signal: AbortSignal): AsyncGenerator<LogLine>;
}

/** What a member has written: its log, and what it said before it had one. */
export function logsOf(home: Home, machine: string, last: number): Promise<BegunLog>[] {
  const { log } = layout(home, machine);
  return [beginLog(log, last), beginStartLog(log)];
}
