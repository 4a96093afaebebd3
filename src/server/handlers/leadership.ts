import { counted } from "../../base/count.ts";
import { fail } from "../../errors/error.ts";
import { printable } from "../../model/name.ts";
import type { ClusterRecord } from "../../model/records.ts";
import { lossesTextOf, unarchivedOf } from "../../cluster/losses.ts";
import { type ClusterView, leaderOf, leads, type MemberView, replicasOf, whyNotLed } from "../../cluster/view.ts";
import { requireCluster } from "./cluster.ts";
import type { Deps } from "../deps.ts";
import type { Call } from "../http/call.ts";
import type { Handlers } from "../http/http.ts";
import { settle } from "../wait.ts";
import { clusterShape } from "../views/views.ts";

type LeadershipHandlers = Pick<Handlers, "failover" | "setSynchronous">;

/** What a user may ask about who leads. It is written down as a wish; the engine does it. */
export function leadershipHandlers(deps: Deps): LeadershipHandlers {
  const { state, events, place } = deps;

  async function shown(view: ClusterView) {
    return clusterShape(view, place.mode, { version: String(view.cluster.major), primaryRegion: view.primaryRegion });
  }

  return {
    async failover({ params, body }, call) {
      const { loop, record } = await requireCluster(deps, params.cluster);
      const view = loop.view();
      if (view === undefined || record.phase !== "ready")
        throw fail("cluster_not_ready", { app: record.app, phase: record.phase });
      const elsewhere = body.allowSecondaryRegion || body.promote;
      const to = body.to === undefined ? best(view, elsewhere) : named(view, body.to, elsewhere);
      if (to.record.id !== record.leader) {
        await tellBefore(deps, view, to, { accepted: body.acceptLosses, call });
        await changeTo(deps, view, to, { force: body.force, promote: body.promote, call });
      } else if (body.promote) {
        await state.apps.update({ name: record.app }, (app) => ({ ...app, primaryRegion: to.record.region }));
        if (view.primaryRegion !== to.record.region)
          await events.append(
            record.app,
            `the primary region of ${record.app} is ${to.record.region} now, where its leader is`,
          );
      }
      const moved = body.promote ? to.record.region : view.primaryRegion;
      const done = (now: ClusterView | undefined) => (now?.primaryRegion === moved ? now : undefined);
      return shown(await settle(loop, call, { what: `moving ${record.app}`, things: [], done }));
    },

    async setSynchronous({ params, body }, call) {
      const { loop, record } = await requireCluster(deps, params.cluster);
      const view = loop.view();
      if (view === undefined || record.phase !== "ready")
        throw fail("cluster_not_ready", { app: record.app, phase: record.phase });
      const near = replicasOf(view).filter(
        (member) => member.record.region === view.primaryRegion && member.record.phase === "ready",
      );
      if (body.on && near.length === 0) {
        const why = `no replica is in its primary region ${view.primaryRegion}`;
        throw fail("no_candidate", { app: record.app, why, machine: record.leader, region: view.primaryRegion });
      }
      await state.clusters.update(record, ({ synchronous, ...rest }) =>
        body.on ? { ...rest, synchronous: synchronous ?? { names: [], holders: [] } } : rest,
      );
      const done = (now: ClusterView | undefined) =>
        now !== undefined &&
        (body.on ? (now.cluster.synchronous?.holders.length ?? 0) > 0 : leaderOf(now)?.facts.configured === true)
          ? now
          : undefined;
      const what = `${body.on ? "waiting for a replica of" : "making asynchronous"} ${record.app}`;
      const now = await settle(loop, call, { what, things: ["cluster"], done });
      await events.append(
        record.app,
        body.on
          ? `${record.app} acknowledges a commit when a replica has it, too`
          : `${record.app} acknowledges a commit by its leader alone`,
      );
      return shown(now);
    },
  };
}

/**
 * Writes the wish down and waits until that member leads. Rejects with `busy` or `no_active_leader`, or with why the
 * engine could not.
 */
async function changeTo(
  deps: Pick<Deps, "state" | "clusters">,
  view: ClusterView,
  to: MemberView,
  how: { force: boolean; promote: boolean; call: Call },
): Promise<void> {
  const { cluster } = view;
  const { loop } = await requireCluster(deps, cluster.app);
  const leader = leaderOf(view);
  const led = leader !== undefined && leads(leader);
  if (!led && !how.force)
    throw fail("leader_away", {
      app: cluster.app,
      machine: to.record.id,
      why: whyNotLed(leader),
    });
  const half = view.members.find((member) => member.record.phase !== "ready");
  if (led && half !== undefined)
    throw fail("busy", { what: `cluster ${cluster.app}`, by: `${half.record.phase} machine ${half.record.id}` });
  if (led && !to.facts.streaming)
    throw fail("replica_unfit", { machine: to.record.id, app: cluster.app, why: "it does not stream from the leader" });
  const because = led ? "it was asked for" : "it was asked for, and the leader does not answer";
  await begin(deps, cluster, {
    kind: led ? "switchover" : "failover",
    to: to.record.id,
    because,
    ...(how.promote ? { promote: true } : {}),
  });
  let noted = false;
  const after = await settle(loop, how.call, {
    what: `making ${to.record.id} the leader of ${cluster.app}`,
    things: ["cluster"],
    done(now) {
      const next = now === undefined ? undefined : leaderOf(now);
      if (now === undefined || next === undefined) return undefined;
      const { change } = now.cluster;
      if (next.record.id === to.record.id) return leads(next) && change === undefined ? next : undefined;
      // The wish was seen, and is gone: it was taken back, or another change came first.
      noted ||= change !== undefined;
      return noted && change === undefined && now.busy !== "lead" ? next : undefined;
    },
  });
  const why =
    after.record.id === cluster.leader ? "it was gone when its turn came" : `machine ${after.record.id} leads now`;
  if (after.record.id !== to.record.id) throw fail("replica_unfit", { machine: to.record.id, app: cluster.app, why });
}

/**
 * What a planned change would take, and what it may have to wait for. Rejects with `change_loses` unless that was
 * accepted. A leader that does not answer cannot be asked.
 */
async function tellBefore(
  deps: Pick<Deps, "state" | "context">,
  view: ClusterView,
  to: MemberView,
  { accepted, call }: { accepted: boolean; call: Call },
): Promise<void> {
  const leader = leaderOf(view);
  if (leader === undefined || !leads(leader)) return;
  const { app } = view.cluster;
  const waiting = await unarchivedOf(deps.context, view.cluster, leader.record);
  if (waiting > 0)
    call.progress(
      `${counted(waiting, "WAL file")} of machine ${leader.record.id} ${waiting === 1 ? "is" : "are"} not archived; the archive command gets one more second.`,
    );
  const text = accepted ? "" : await lossesTextOf(deps.context, view.cluster, leader.record, to.record);
  if (text !== "") throw fail("change_loses", { app, what: text });
}

async function begin(
  { state }: Pick<Deps, "state">,
  cluster: ClusterRecord,
  change: NonNullable<ClusterRecord["change"]>,
): Promise<void> {
  let other: ClusterRecord["change"];
  await state.clusters.update(cluster, (record) => {
    other = record.change;
    return other === undefined ? { ...record, change } : record;
  });
  if (other !== undefined)
    throw fail("busy", { what: `cluster ${cluster.app}`, by: `its ${other.kind} to ${other.to}` });
}

/** The most advanced replica that may lead. */
function best(view: ClusterView, elsewhere: boolean): MemberView {
  const choice = view.successors;
  const id = choice.ids[0] ?? (elsewhere ? replicasOf(view).find(({ facts }) => facts.answers)?.record.id : undefined);
  const found = view.members.find((member) => member.record.id === id);
  if (found === undefined)
    throw fail("no_candidate", {
      app: view.cluster.app,
      why: choice.why,
      machine: view.cluster.leader,
      region: view.primaryRegion,
    });
  return found;
}

function named(view: ClusterView, id: string, elsewhere: boolean): MemberView {
  const found = view.members.find((member) => member.record.id === id);
  if (found === undefined) throw fail("machine_not_found", { machine: printable(id) });
  if (!elsewhere && found.record.region !== view.primaryRegion)
    throw fail("region_secondary", {
      machine: id,
      region: found.record.region,
      app: view.cluster.app,
      primary: view.primaryRegion,
    });
  return found;
}
