import { listSettings, restartNeeded, type Setting, type Which } from "../../postgres/sql/pg-settings.ts";
import type { Context } from "../context.ts";
import { type Led, onLeader } from "./session.ts";

/** As the leader has them: those that were changed, the named ones, or all. */
export const settingsOf = (context: Context, led: Led, which: Which): Promise<Setting[]> =>
  onLeader(context, led, (session) => listSettings(session, new Set(Object.keys(led.record.settings)), which));

/** Those of these settings that wait for a restart when they are changed. */
export const restartNeededFor = (context: Context, led: Led, names: readonly string[]): Promise<string[]> =>
  onLeader(context, led, (session) => restartNeeded(session, names));
