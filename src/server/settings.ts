import { fail } from "../errors/error.ts";
import type { MachineRecord } from "../model/records.ts";
import { listSettings, restartNeeded } from "../postgres/catalog.ts";
import { trySettings } from "../postgres/trial.ts";
import { configurationOf, passwordsOf } from "../reconcile/context.ts";
import { requireLeader } from "./cluster.ts";
import type { Deps } from "./deps.ts";
import type { Handlers } from "./http.ts";
import { onLeader } from "./leader.ts";
import { settle } from "./settle.ts";

type SettingHandlers = Pick<Handlers, "listSettings" | "updateSettings">;

export function settingHandlers(deps: Deps): SettingHandlers {
  const { state, events, context } = deps;
  return {
    async listSettings({ params, query }) {
      const { record } = await requireLeader(deps, params.cluster);
      const names = query.names
        ?.split(",")
        .map((name) => name.trim())
        .filter((name) => name !== "");
      const rows = await onLeader(deps, params.cluster, (session) =>
        listSettings(session, new Set(Object.keys(record.settings)), { all: query.all, ...(names === undefined ? {} : { names }) }),
      );
      const unknown = names?.find((name) => !rows.some((row) => row.name.toLowerCase() === name.toLowerCase()));
      if (unknown !== undefined) throw fail("setting_unknown", { name: unknown, version: record.major, app: record.app });
      return rows;
    },

    async updateSettings({ params, body }, call) {
      const { record, leader, loop } = await requireLeader(deps, params.cluster);
      const set = Object.fromEntries(Object.entries(body.set).map(([name, value]) => [name.toLowerCase(), value]));
      const unset = body.unset.map((name) => name.toLowerCase());
      const names = [...Object.keys(set), ...unset];
      if (names.length === 0) throw fail("usage_invalid", { reason: "no setting was named" });
      const settings = Object.fromEntries(Object.entries({ ...record.settings, ...set }).filter(([name]) => !unset.includes(name)));

      const { replicator } = await passwordsOf(deps, record.app);
      const wanted = (machine: MachineRecord) => configurationOf(context, { ...record, settings }, machine, undefined, replicator).settings;
      const restart = await onLeader(deps, params.cluster, async (session, member) => {
        await trySettings(member, { changes: set, settings: wanted(leader.record) });
        return restartNeeded(session, names);
      });
      await state.clusters.update(record, (current) => ({ ...current, settings }));
      await settle(loop, call, {
        what: `configuring ${record.app}`,
        things: [],
        done: (view) =>
          view !== undefined &&
          JSON.stringify(view.cluster.settings) === JSON.stringify(settings) &&
          view.members.every((member) => !member.facts.running || (member.facts.configured && member.busy === undefined))
            ? true
            : undefined,
      });
      await events.append(
        record.app,
        `settings of ${record.app} were changed: ${names.join(", ")}${restart.length === 0 ? "" : `; ${restart.join(", ")} take effect at the next restart`}`,
      );
      return { changed: names, restartNeeded: restart };
    },
  };
}
