import type { Step } from "../../src/reconcile/step.ts";
import type { Change } from "../../src/cluster/situation.ts";
import type { ClusterView, MemberFacts, MemberView } from "../../src/cluster/view.ts";
import { down, leading, nothing, streaming } from "./world.ts";

/** What the steps do to a world in which everything succeeds: the model the planner is checked against. */
export function after(view: ClusterView, step: Step): ClusterView {
  const change = (id: string, how: (old: MemberView) => MemberView): ClusterView => ({
    ...view,
    members: view.members.map((old) => (old.record.id === id ? how(old) : old)),
  });
  const kept = ({ facts }: MemberView) => ({ copied: facts.copied, former: facts.former });
  // Whose WAL is gone does not stream for being started.
  const started = (isLeader: boolean, { facts: { apart } }: MemberView): MemberFacts =>
    isLeader ? leading : apart?.walGone === true ? { ...streaming, streaming: false, apart } : streaming;
  const up = (id: string) =>
    change(id, (old) => ({
      ...old,
      facts: { ...started(id === view.cluster.leader, old), ...kept(old) },
    }));
  const broken = (id: string) => (view.members.find((one) => one.record.id === id)?.trouble?.attempts ?? 0) > 0;
  switch (step.do) {
    case "initialise":
    case "start":
    case "restart":
      return broken(step.machine) ? view : up(step.machine);
    case "configure":
      return change(step.machine, (old) => ({ ...old, facts: { ...old.facts, configured: true } }));
    case "restore-roles":
      return up(step.machine);
    case "copy":
      return change(step.machine, (old) => ({
        ...old,
        facts: old.facts.data ? { ...down, ...kept(old), copied: true } : down,
      }));
    case "swap":
      return change(step.machine, (old) => ({
        ...old,
        facts: { ...down, former: old.facts.former || old.facts.data },
      }));
    case "discard":
      return change(step.machine, (old) => ({ ...old, facts: { ...old.facts, former: false } }));
    case "unslot":
      return change(step.machine, (old) => ({ ...old, facts: { ...old.facts, ownSlots: [] } }));
    case "stop":
      return change(step.machine, (old) => ({
        ...old,
        facts: { ...(old.facts.data ? down : nothing), ...kept(old) },
      }));
    case "accept":
      return change(step.machine, (old) => ({ ...old, record: { ...old.record, phase: "ready" } }));
    case "remove":
      return { ...view, members: view.members.filter((old) => old.record.id !== step.machine) };
    case "slots":
      return {
        ...view,
        slots: [...(view.slots ?? []).filter((slot) => !step.drop.includes(slot)), ...step.create],
        lostSlots: view.lostSlots.filter((slot) => !step.drop.includes(slot)),
      };
    case "open":
      return { ...view, cluster: { ...view.cluster, phase: "ready" } };
    case "take-back": {
      const { settingsBefore: before, ...rest } = view.cluster;
      return { ...view, cluster: { ...rest, settings: before?.settings ?? rest.settings } };
    }
    case "resume":
    case "rewind":
    case "reconnect":
      return up(step.machine);
    case "lead":
      return led(view, step.change);
    case "withdraw": {
      const { change: _gone, ...record } = view.cluster;
      return { ...view, cluster: record };
    }
    case "synchronise":
      return {
        ...view,
        cluster: { ...view.cluster, synchronous: { names: [...step.names], holders: [...step.names] } },
      };
    case "forget":
    case "concern":
      return view;
  }
}

/** What the engine does: the old leader is stopped or killed first, and then the candidate promoted. */
function led(view: ClusterView, change: Change): ClusterView {
  const [to = ""] = change.candidates;
  const { change: _done, ...record } = view.cluster;
  const next = (one: MemberView): MemberFacts =>
    one.record.id === to ? leading : one.record.id === change.from ? (one.facts.data ? down : nothing) : one.facts;
  return {
    ...view,
    cluster: {
      ...record,
      leader: to,
      ...(record.synchronous === undefined ? {} : { synchronous: { names: [], holders: [] } }),
    },
    slots: [],
    members: view.members.map((one) => ({ ...one, facts: next(one) })),
  };
}
