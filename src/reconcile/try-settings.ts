import { configurationOf, type Context, memberOf, passwordsOf } from "../cluster/context.ts";
import type { ClusterRecord } from "../model/records.ts";
import { hasData } from "../postgres/instance/directory.ts";
import { trySettings } from "../postgres/instance/validate-settings.ts";
import { machineOf, requireProgram } from "./members.ts";

/**
 * Asks PostgreSQL whether it would start with them, before they are wanted. Where there is no data it cannot be asked,
 * and nothing is the worse for it.
 */
export async function tryChange(
  context: Context,
  record: ClusterRecord,
  change: { set: Record<string, string>; settings: Record<string, string> },
): Promise<void> {
  const machine = await machineOf(context, record.leader);
  const member = memberOf(context, record, machine);
  if (!(await hasData(member.layout))) return;
  await requireProgram(record);
  const { settingsBefore: _before, ...rest } = record;
  const { replicator } = await passwordsOf(context, record.app);
  const { settings } = configurationOf(context, { ...rest, settings: change.settings }, machine, undefined, replicator);
  await trySettings(member, { changes: change.set, settings });
}
