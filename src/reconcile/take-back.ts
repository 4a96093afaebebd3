/**
 * Settings that PostgreSQL takes when it is asked, and does not start with: a library that is gone since, wal_level
 * lowered below a slot, ciphers it does not know. What stood before a change is kept until the leader has been started
 * with the new settings. A member that does not start with them is started with those from before, and only where it
 * does so the change is taken back: what fails with both has another cause.
 */
import { fail, isCode } from "../errors/error.ts";
import type { ClusterRecord, SettingsBefore } from "../model/records.ts";
import type { Context } from "../cluster/context.ts";

type Known = Pick<Context, "state" | "say" | "takenBack">;

/** The next record of a change. What was never started with is no way back. */
export function changedSettings(record: ClusterRecord, settings: Record<string, string>): ClusterRecord {
  const { settingsBefore, ...rest } = record;
  const before = settingsBefore?.settings ?? record.settings;
  return same(before, settings) ? { ...rest, settings } : { ...rest, settings, settingsBefore: { settings: before } };
}

/**
 * `begin` writes the files of a member for that record and starts it; `ended` tells whether it is gone after a failure,
 * and not just late. Resolves when it runs, with the settings that were wanted or with those from before.
 */
export async function startOrTakeBack(
  context: Known,
  app: { cluster: ClusterRecord; machine: string },
  begin: (cluster: ClusterRecord) => Promise<void>,
  ended: () => Promise<boolean>,
): Promise<void> {
  const { state } = context;
  const { machine } = app;
  const cluster = (await state.clusters.get(app.cluster)) ?? app.cluster;
  const { settingsBefore: before } = cluster;
  if (before?.refused !== undefined && before.refused.machine !== machine) return begin(cluster);
  let failure: unknown;
  if (before?.refused === undefined) {
    try {
      await begin(cluster);
      if (before !== undefined && machine === cluster.leader) await startedWith(context, cluster);
      return;
    } catch (error) {
      if (before === undefined || !isCode(error, "postgres_start_failed") || !(await ended())) throw error;
      failure = error;
      // Where that cannot be written down, nothing is begun that a killed perchd could not go on with.
      await note(context, cluster, { settings: before.settings, refused: { machine, why: wordsOf(error) } }).catch(
        () => {
          throw error;
        },
      );
    }
  }
  const former = (await state.clusters.get(cluster)) ?? cluster;
  try {
    await begin(former);
  } catch (error) {
    if (await ended()) await note(context, former, { settings: before?.settings ?? former.settings });
    throw failure ?? error;
  }
  await takeBack(context, cluster.app);
}

/** The member runs with the settings from before: they are the cluster's again. */
export async function takeBack({ state, say, takenBack }: Known, app: string): Promise<void> {
  let was: ClusterRecord | undefined;
  await state.clusters.update({ app }, (record) => {
    const { settingsBefore: before, ...rest } = record;
    if (before?.refused === undefined) return record;
    was = record;
    const { restarting } = record;
    const back = { ...rest, settings: before.settings };
    // Who was restarted with them is restarted once more.
    return restarting === undefined
      ? back
      : { ...back, restarting: { ...restarting, refused: before.refused.machine } };
  });
  const { settings, settingsBefore: before } = was ?? {};
  if (settings === undefined || before?.refused === undefined) return;
  const names = changedNames(before.settings, settings).join(", ");
  takenBack.set(app, fail("settings_taken_back", { app, names, why: before.refused.why }));
  say(
    app,
    `the change of ${names} in ${app} was taken back, because PostgreSQL of machine ${before.refused.machine} said: ${before.refused.why}`,
  );
}

/** They are no change any more: a server that leads was started with these. */
export async function startedWith(
  { state }: Pick<Context, "state">,
  { app, settings }: Pick<ClusterRecord, "app" | "settings">,
): Promise<void> {
  await state.clusters
    .update({ app }, (record) => {
      const { settingsBefore: before, ...rest } = record;
      return before !== undefined && before.refused === undefined && same(record.settings, settings) ? rest : record;
    })
    .catch((error: unknown) => {
      if (!isCode(error, "disk_full")) throw error;
    });
}

/** Nothing, when they were changed once more meanwhile. */
async function note({ state }: Known, { app, settings }: ClusterRecord, before: SettingsBefore): Promise<void> {
  await state.clusters.update({ app }, (record) =>
    record.settingsBefore !== undefined && same(record.settings, settings)
      ? { ...record, settingsBefore: before }
      : record,
  );
}

const same = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  changedNames(a, b).length === 0;

const changedNames = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): string[] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]).toSorted();

const wordsOf = (error: unknown): string =>
  error instanceof Error ? error.message.replace(/^PostgreSQL of machine \S+ did not start: /, "") : "";
