import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plan } from "../../src/reconcile/plan.ts";
import type { Step } from "../../src/reconcile/step.ts";
import { slotOf } from "../../src/postgres/replication.ts";
import type { ClusterView, MemberFacts, MemberView } from "../../src/reconcile/view.ts";
import { cluster, down, leading, member, nothing, streaming } from "./world.ts";

/** What the steps do to a world in which everything succeeds: the model the planner is checked against. */
function after(view: ClusterView, step: Step): ClusterView {
  const change = (id: string, how: (old: MemberView) => MemberView): ClusterView => ({
    ...view,
    members: view.members.map((old) => (old.record.id === id ? how(old) : old)),
  });
  const facts = (id: string, next: MemberFacts) => change(id, (old) => ({ ...old, facts: next, restart: false }));
  const up = (id: string) => facts(id, id === view.cluster.leader ? leading : streaming);
  switch (step.do) {
    case "initialise":
    case "start":
    case "restart":
      return up(step.machine);
    case "configure":
      return change(step.machine, (old) => ({ ...old, facts: { ...old.facts, configured: true } }));
    case "copy":
      return facts(step.machine, down);
    case "stop":
      return change(step.machine, (old) => ({ ...old, facts: { ...(old.facts.data ? down : nothing) }, restart: false }));
    case "accept":
      return change(step.machine, (old) => ({ ...old, record: { ...old.record, phase: "ready" } }));
    case "remove":
      return { ...view, members: view.members.filter((old) => old.record.id !== step.machine) };
    case "slots":
      return { ...view, slots: [...(view.slots ?? []), ...step.create].filter((slot) => !step.drop.includes(slot)) };
    case "open":
      return { ...view, cluster: { ...view.cluster, phase: "ready" } };
    case "resume":
    case "rejoin":
      return up(step.machine);
    case "clear":
      return facts(step.machine, nothing);
    case "lead":
      return { ...view, cluster: { ...view.cluster, leader: step.change.candidates[0] ?? "" } };
    case "withdraw":
    case "synchronise":
    case "forget":
    case "grant":
    case "revoke":
      return view;
  }
}

const phase = fc.constantFrom("creating" as const, "ready" as const, "destroying" as const);
const wanted = fc.constantFrom("started" as const, "stopped" as const);
const leaderMember = fc.record({
  phase: fc.constantFrom("creating" as const, "ready" as const),
  wanted,
  facts: fc.constantFrom(down, leading),
  restart: fc.boolean(),
});
const replicaMember = fc.record({
  phase,
  wanted,
  facts: fc.constantFrom(nothing, down, streaming, { ...streaming, configured: false }),
  restart: fc.boolean(),
});
const world = fc
  .record({
    leader: leaderMember,
    replicas: fc.array(replicaMember, { maxLength: 4 }),
    slots: fc.subarray(["perch_l0", "perch_l1", "perch_l9"]),
    phase,
  })
  .map(({ leader, replicas, slots, phase: clusterPhase }) =>
    cluster(
      [
        member("a0", leader.facts, { record: { phase: leader.phase, wanted: leader.wanted }, restart: leader.restart }),
        ...replicas.map((one, index) => member(`l${index}`, one.facts, { record: { phase: one.phase, wanted: one.wanted }, restart: one.restart })),
      ],
      { phase: clusterPhase, slots },
    ),
  );

describe("from any world, planning again and again", () => {
  it("comes to rest, with every member as wanted and a slot for each replica and for nothing else", () => {
    fc.assert(
      fc.property(world, (start) => {
        let view = start;
        let passes = 0;
        for (let next = plan(view); next.steps.length > 0 && next.steps[0]?.do !== "forget"; next = plan(view)) {
          expect(++passes).toBeLessThan(20);
          view = next.steps.reduce(after, view);
        }
        if (view.cluster.phase === "destroying") {
          expect(view.members).toEqual([]);
          return;
        }
        const leader = view.members.find((one) => one.record.id === view.cluster.leader);
        expect(view.members.filter((one) => one.record.phase === "destroying")).toEqual([]);
        if (leader?.record.wanted === "stopped") return;
        expect(leader?.facts.answers).toBe(true);
        const replicas = view.members.filter((one) => one !== leader);
        expect([...(view.slots ?? [])].toSorted()).toEqual(replicas.map((one) => slotOf(one.record.id)).toSorted());
        for (const one of replicas) if (one.record.phase === "ready") expect(one.facts.running).toBe(one.record.wanted === "started");
      }),
      { seed: 20261124, numRuns: 2_000 },
    );
  });

  it("never has a step for two things at once, nor one for what is under way", () => {
    fc.assert(
      fc.property(world, fc.boolean(), (start, busy) => {
        const view = busy ? { ...start, members: start.members.map((one) => ({ ...one, busy: "start" })), busy: "slots" } : start;
        const things = plan(view).steps.map((step) => ("machine" in step ? step.machine : "cluster"));
        expect(new Set(things).size).toBe(things.length);
        if (busy) expect(things).toEqual([]);
      }),
      { seed: 20261124, numRuns: 1_000 },
    );
  });
});
