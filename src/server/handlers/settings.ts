import { fail } from "../../errors/error.ts";
import type * as api from "../../api/schemas.ts";
import type { ClusterRecord } from "../../model/records.ts";
import { settingsInForce } from "../../cluster/context.ts";
import { restartNeededFor, settingsOf } from "../../cluster/leader/settings.ts";
import type { ClusterLoop } from "../../cluster/cluster-loop.ts";
import { changedSettings } from "../../reconcile/take-back.ts";
import { tryChange } from "../../reconcile/try-settings.ts";
import { type ClusterView, leaderOf, leads } from "../../cluster/view.ts";
import { requireCluster, requireLeader } from "./cluster.ts";
import type { Deps } from "../deps.ts";
import type { Call } from "../http/call.ts";
import type { Handlers } from "../http/http.ts";
import { settle } from "../wait.ts";

type SettingHandlers = Pick<Handlers, "listSettings" | "updateSettings">;

export function settingHandlers(deps: Deps): SettingHandlers {
  const { state, events, context } = deps;
  return {
    async listSettings({ params, query }) {
      const names = query.names
        ?.split(",")
        .map((name) => name.trim())
        .filter((name) => name !== "");
      const { record: known, loop } = await requireCluster(deps, params.cluster);
      // What was changed is known without PostgreSQL, and is what one needs to know where it does not start.
      if (names === undefined && !query.all && known.phase === "ready" && leading(loop.view()) === undefined)
        return kept(known);
      const led = await requireLeader(deps, params.cluster);
      const { record } = led;
      const rows = await settingsOf(context, led, { all: query.all, ...(names === undefined ? {} : { names }) });
      const unknown = names?.find((name) => !rows.some((row) => row.name.toLowerCase() === name.toLowerCase()));
      if (unknown !== undefined)
        throw fail("setting_unknown", { name: unknown, version: record.major, app: record.app });
      return rows;
    },

    async updateSettings({ params, body }, call) {
      const { record, loop } = await requireCluster(deps, params.cluster);
      if (record.phase !== "ready")
        throw fail("cluster_not_ready", {
          app: record.app,
          phase: record.phase === "creating" ? "still being created" : "being destroyed",
        });
      const set = Object.fromEntries(Object.entries(body.set).map(([name, value]) => [name.toLowerCase(), value]));
      const unset = body.unset.map((name) => name.toLowerCase());
      const names = [...Object.keys(set), ...unset];
      if (names.length === 0) throw fail("usage_invalid", { reason: "no setting was named" });
      const settings = Object.fromEntries(
        Object.entries({ ...settingsInForce(record), ...set }).filter(([name]) => !unset.includes(name)),
      );

      await tryChange(context, record, { set, settings });
      const led = leading(loop.view()) !== undefined;
      const restart = led ? await restartNeededFor(context, await requireLeader(deps, params.cluster), names) : [];
      context.takenBack.delete(record.app);
      await state.clusters.update(record, (current) => changedSettings(current, settings));
      const later = restart.length === 0 ? "" : `; ${restart.join(", ")} take effect at the next restart`;
      await events.append(record.app, `settings of ${record.app} were changed: ${names.join(", ")}${later}`);
      if (led) {
        await configured(loop, call, record.app, settings);
        return { changed: names, restartNeeded: restart };
      }
      const leaderless = await tryToLead(loop, call, { app: record.app, settings });
      const back = context.takenBack.get(record.app);
      if (back !== undefined) throw back;
      return { changed: names, restartNeeded: [], ...(leaderless === undefined ? {} : { leaderless }) };
    },
  };
}

const leading = (view: ClusterView | undefined) => {
  const leader = view === undefined ? undefined : leaderOf(view);
  return leader !== undefined && leads(leader) ? leader : undefined;
};

/** Every member that runs has them in its files, and was told. */
const configured = (loop: ClusterLoop, call: Call, app: string, settings: Record<string, string>): Promise<true> =>
  settle(loop, call, {
    what: `configuring ${app}`,
    things: [],
    done: (view) => (view !== undefined && hasThem(view, settings) ? true : undefined),
  });

const hasThem = (view: ClusterView, settings: Record<string, string>): boolean =>
  JSON.stringify(view.cluster.settings) === JSON.stringify(settings) &&
  view.members.every((member) => !member.facts.running || (member.facts.configured && member.busy === undefined));

/**
 * A leader that could not be started is tried with them at once. Gives why there is still none: what was changed stays,
 * for another change may be needed, too. The first attempt may have begun before the change.
 */
async function tryToLead(
  loop: ClusterLoop,
  call: Call,
  wish: { app: string; settings: Record<string, string> },
): Promise<string | undefined> {
  const before = loop.view();
  const leader = before && leaderOf(before);
  const enough = (leader?.trouble?.attempts ?? 0) + (leader?.busy === undefined ? 1 : 2);
  loop.retry();
  const { why } = await settle(loop, call, {
    what: `configuring ${wish.app}`,
    things: [],
    done(view) {
      const now = view && leaderOf(view);
      if (view === undefined || now === undefined || now.busy !== undefined || view.busy === "lead") return undefined;
      if (leads(now))
        return view.members.every(({ facts }) => !facts.running || facts.configured) ? { why: undefined } : undefined;
      if (now.record.wanted === "stopped") return { why: `machine ${now.record.id} is stopped` };
      if (!now.facts.data) return { why: `the data of machine ${now.record.id} is gone` };
      // One that runs reads them without a start.
      if (now.facts.running)
        return hasThem(view, wish.settings)
          ? { why: now.facts.refused?.why ?? now.facts.silence ?? "it does not answer" }
          : undefined;
      if ((now.trouble?.attempts ?? 0) >= enough) return { why: now.trouble?.why };
      if ((now.trouble?.until ?? 0) > view.now) loop.retry();
      return undefined;
    },
  });
  return why;
}

/** As they were given; the rest nobody can tell now. */
const kept = ({ settings }: ClusterRecord): api.Setting[] =>
  Object.entries(settings)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({
      name,
      value,
      unit: null,
      source: "user",
      restart: false,
      pending: true,
      description: "",
    }));
