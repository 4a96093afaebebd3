import { fail } from "../../errors/error.ts";
import { tablespacesOf } from "../../cluster/tablespaces.ts";
import { checkRegion, printable } from "../../model/name.ts";
import type { MachineRecord } from "../../model/records.ts";
import type { ClusterView, MemberView } from "../../cluster/view.ts";
import { leaderOf, leads, whyNotLed } from "../../cluster/view.ts";
import { requireApp } from "./apps.ts";
import { newMachines } from "./new-machines.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";
import { settle } from "../wait.ts";
import { machineShape, runShape } from "../views/views.ts";

type MachineHandlers = Pick<
  Handlers,
  "listMachines" | "cloneMachine" | "startMachine" | "stopMachine" | "destroyMachine"
>;

export function machineHandlers(deps: Deps): MachineHandlers {
  const { state, clusters, events } = deps;

  async function requireMember(machine: string) {
    const found = clusters.member(machine);
    if (found !== undefined) return found;
    const record = await state.machines.get({ id: machine });
    if (record?.kind === "run") throw fail("machine_is_run", { machine, app: record.app });
    const cluster = await state.clusters.get({ app: machine });
    if (cluster !== undefined) throw fail("machine_is_cluster", { app: cluster.app, leader: cluster.leader });
    throw fail("machine_not_found", { machine: printable(machine) });
  }

  /** The record is changed as wanted, and the member is waited for. */
  async function want(machine: string, wanted: MachineRecord["wanted"]) {
    const found = await requireMember(machine);
    if (found.member.record.phase !== "ready")
      throw fail("busy", { what: `machine ${machine}`, by: found.member.record.phase });
    await state.machines.update({ id: machine }, (record) => ({ ...record, wanted }));
    return found;
  }

  return {
    async listMachines({ query }) {
      if (query.app !== undefined) await requireApp(deps, query.app);
      const ofApp = (app: string) => query.app === undefined || query.app === app;
      const members = (clusters.views() ?? [])
        .filter((view) => ofApp(view.cluster.app))
        .flatMap((view) => view.members.map((member) => machineShape(view, member)));
      const runs = (await state.machines.list()).filter((record) => record.kind === "run" && ofApp(record.app));
      return [...members, ...runs.map(runShape)];
    },

    async cloneMachine({ params, body }, call) {
      const { loop, view, member } = await requireMember(params.machine);
      const { cluster } = view;
      const region = body.region === undefined ? member.record.region : checkRegion(body.region);
      if (cluster.phase !== "ready") throw fail("cluster_not_ready", { app: cluster.app, phase: cluster.phase });
      const leader = leaderOf(view);
      if (leader === undefined || !leads(leader))
        throw fail("no_active_leader", {
          app: cluster.app,
          why: whyNotLed(leader),
          machine: cluster.leader,
        });
      const outside = await tablespacesOf(deps.home, cluster.leader);
      if (outside.length > 0) throw fail("tablespaces_present", { app: cluster.app, tablespaces: outside.join(", ") });
      const [record] = await newMachines(deps, cluster.app, region, 1);
      if (record === undefined) throw fail("internal", { why: "no machine was numbered" });
      await state.commit([], [state.machines.put(record)]);
      const find = (now: ClusterView | undefined) =>
        now?.members.find((candidate) => candidate.record.id === record.id);
      const made = await settle(loop, call, {
        what: `cloning machine ${params.machine}`,
        things: [record.id],
        done: (now) => ready(now, find(now)),
        undone: (now) => find(now) === undefined,
        cancel: async () =>
          void (await state.machines.update(record, (current) => ({
            ...current,
            phase: current.phase === "creating" ? "destroying" : current.phase,
          }))),
      });
      await events.append(cluster.app, `replica ${record.id} of ${cluster.app} was made in ${region}`);
      return made;
    },

    async startMachine({ params }, call) {
      const { loop } = await want(params.machine, "started");
      return settle(loop, call, {
        what: `starting machine ${params.machine}`,
        things: [params.machine],
        done: (view) => {
          const member = view?.members.find((candidate) => candidate.record.id === params.machine);
          return member?.facts.answers === true && member.record.wanted === "started" ? ready(view, member) : undefined;
        },
      });
    },

    async stopMachine({ params }, call) {
      const { loop } = await want(params.machine, "stopped");
      return settle(loop, call, {
        what: `stopping machine ${params.machine}`,
        things: [params.machine],
        done: (view) => {
          const member = view?.members.find((candidate) => candidate.record.id === params.machine);
          return member?.facts.running === false && member.busy === undefined && member.record.wanted === "stopped"
            ? ready(view, member)
            : undefined;
        },
      });
    },

    async destroyMachine({ params }, call) {
      const { loop, view } = await requireMember(params.machine);
      if (view.cluster.leader === params.machine)
        throw fail("machine_is_leader", { machine: params.machine, app: view.cluster.app, what: "destroyed" });
      await state.machines.update({ id: params.machine }, (record) => ({ ...record, phase: "destroying" }));
      await settle(loop, call, {
        what: `destroying machine ${params.machine}`,
        things: [],
        done: (now) =>
          now?.members.some((member) => member.record.id === params.machine) === true || hasSlot(now, params.machine)
            ? undefined
            : true,
      });
      await events.append(view.cluster.app, `replica ${params.machine} of ${view.cluster.app} was destroyed`);
      return {};
    },
  };
}

const ready = (view: ClusterView | undefined, member: MemberView | undefined) =>
  view !== undefined && member?.record.phase === "ready" ? machineShape(view, member) : undefined;

/** A slot that nobody reads pins the leader's WAL: the machine is gone only when its slot is. */
const hasSlot = (view: ClusterView | undefined, machine: string): boolean =>
  view?.slots?.includes(`perch_${machine}`) === true;
