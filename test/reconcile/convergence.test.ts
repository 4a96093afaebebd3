import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plan } from "../../src/reconcile/plan.ts";
import type { Step } from "../../src/reconcile/step.ts";
import { slotOf } from "../../src/postgres/replication.ts";
import type { Change } from "../../src/engine/situation.ts";
import { type ClusterView, leads, type MemberFacts, type MemberView } from "../../src/reconcile/view.ts";
import { cluster, down, leading, member, nothing, streaming } from "./world.ts";

/** What the steps do to a world in which everything succeeds: the model the planner is checked against. */
function after(view: ClusterView, step: Step): ClusterView {
  const change = (id: string, how: (old: MemberView) => MemberView): ClusterView => ({
    ...view,
    members: view.members.map((old) => (old.record.id === id ? how(old) : old)),
  });
  const facts = (id: string, next: MemberFacts) => change(id, (old) => ({ ...old, facts: next, restart: false }));
  const up = (id: string) => facts(id, id === view.cluster.leader ? leading : streaming);
  const broken = (id: string) => (view.members.find((one) => one.record.id === id)?.trouble?.attempts ?? 0) > 0;
  switch (step.do) {
    case "initialise":
    case "start":
    case "restart":
      return broken(step.machine) ? view : up(step.machine);
    case "configure":
      return change(step.machine, (old) => ({ ...old, facts: { ...old.facts, configured: true, certified: true } }));
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
      return led(view, step.change);
    case "pool":
    case "unpool":
    case "admit":
      return view;
    case "withdraw": {
      const { change: _gone, ...record } = view.cluster;
      return { ...view, cluster: record };
    }
    case "synchronise":
      return { ...view, cluster: { ...view.cluster, synchronous: { names: [...step.names], holders: [...step.names] } } };
    case "forget":
    case "grant":
    case "revoke":
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
    cluster: { ...record, leader: to, ...(record.synchronous === undefined ? {} : { synchronous: { names: [], holders: [] } }) },
    slots: [],
    members: view.members.map((one) => ({ ...one, facts: next(one) })),
  };
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
  facts: fc.constantFrom(nothing, down, streaming, { ...streaming, configured: false }, { ...streaming, certified: false }),
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

/** A cluster that was whole, after anything that can happen to its members at once. */
const faulty = fc
  .record({
    leader: fc.constantFrom(
      down,
      leading,
      nothing,
      { ...leading, data: false },
      { ...leading, suspended: true, answers: false },
      { ...streaming, streaming: false },
    ),
    unstartable: fc.boolean(),
    wanted,
    replicas: fc.array(fc.record({ near: fc.boolean(), wanted, facts: fc.constantFrom(nothing, down, streaming) }), { maxLength: 3 }),
    pending: fc.option(fc.constantFrom("switchover" as const, "failover" as const), { nil: undefined }),
    synchronous: fc.boolean(),
  })
  .map((one) => {
    const replicas = one.replicas.map((replica, index) =>
      member(`${replica.near ? "a" : "l"}${index + 1}`, replica.facts, { record: { wanted: replica.wanted } }),
    );
    const trouble = one.unstartable && !one.leader.running ? { step: "start", why: "it will not", attempts: 3, until: 0 } : undefined;
    const since = one.leader.suspended ? { suspended: 0 } : {};
    const leader = member("a0", one.leader, { record: { wanted: one.wanted }, trouble, since });
    const to = replicas[0]?.record.id;
    const near = replicas.filter((replica) => replica.record.region === "ams").map((replica) => replica.record.id);
    return cluster([leader, ...replicas], {
      slots: replicas.map((replica) => slotOf(replica.record.id)),
      ...(one.pending === undefined || to === undefined ? {} : { change: { kind: one.pending, to, because: "it was asked for" } }),
      ...(one.synchronous ? { synchronous: { names: near, holders: near } } : {}),
    });
  });

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

  it("reaches one healthy leader after any fault, or says why it cannot, and never promotes while the old leader answers", () => {
    fc.assert(
      fc.property(faulty, (start) => {
        let view = start;
        let passes = 0;
        for (let next = plan(view); next.steps.length > 0; next = plan(view)) {
          if (++passes > 20) break; // a member that cannot be started is tried for ever, which is said
          for (const step of next.steps) {
            if (step.do === "lead" && step.change.kind === "failover" && view.cluster.change === undefined) {
              const old = view.members.find((one) => one.record.id === view.cluster.leader);
              expect(old === undefined ? false : leads(old)).toBe(false);
              expect(
                step.change.candidates.every((id) => view.members.some((one) => one.record.id === id && one.record.region === view.primaryRegion)),
              ).toBe(true);
              const { holders = [] } = view.cluster.synchronous ?? {};
              if (holders.length > 0) expect(step.change.candidates.every((id) => id === step.change.from || holders.includes(id))).toBe(true);
            }
            view = after(view, step);
            expect(view.members.filter((one) => one.facts.running && one.facts.recovering === false).length).toBeLessThanOrEqual(1);
          }
          // Time goes on: what is suspended, silent or waiting is so for longer.
          view = { ...view, now: view.now + 60_000 };
        }
        const leader = view.members.find((one) => one.record.id === view.cluster.leader);
        const healthy = leader !== undefined && leads(leader);
        if (!healthy && leader?.record.wanted === "started") expect(plan(view).sentence).toMatch(/has no leader: |^start the leader /);
        const near = start.members.filter((one) => one.record.region === "ams" && one.facts.streaming && one.record.wanted === "started");
        if (near.length > 0 && start.cluster.synchronous === undefined && leader?.record.wanted === "started") expect(healthy).toBe(true);
      }),
      { seed: 20261124, numRuns: 3_000 },
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
