import { describe, expect, it } from "vitest";
import type { Pool } from "../../../../src/model/records.ts";
import { plan } from "../../../../src/reconcile/plan.ts";
import type { PoolerView } from "../../../../src/cluster/view.ts";
import { cluster, down, leading, member } from "../../world.ts";

const pool: Pool = { mode: "transaction", size: 20, address: "fdaa:1:2:1::20" };
const well = { wanted: true, running: true, answers: true, current: true, paused: false, version: "1.18.0" };
const pooler = (facts: Partial<PoolerView["facts"]>, more: Partial<PoolerView> = {}): PoolerView => ({
  id: "leader",
  facts: { ...well, ...facts },
  silentSince: undefined,
  busy: undefined,
  trouble: undefined,
  ...more,
});
const leader = member("a0", leading);
const now = cluster([leader]).now;
const planned = (...poolers: PoolerView[]) => plan(cluster([leader], { pool, poolers }));

describe("the plan for poolers", () => {
  it("leaves those alone that are as wanted", () => {
    expect(planned(pooler({})).steps).toEqual([]);
  });

  it.each([
    ["start the pooler of pg: it is wanted and does not run.", pooler({ running: false, answers: false }), "pool"],
    ["configure the pooler of machine a0: its settings changed.", pooler({ current: false }, { id: "a0" }), "pool"],
    [
      "switch the pooler of pg to session mode: in transaction mode PgBouncer 1.18.0 gives wrong rows to clients that prepare statements.",
      pooler({
        current: false,
        switches:
          "to session mode: in transaction mode PgBouncer 1.18.0 gives wrong rows to clients that prepare statements",
      }),
      "pool",
    ],
    ["resume the pooler of pg: nothing changes any more for which it would wait.", pooler({ paused: true }), "pool"],
    ["end the pooler of pg: it is not wanted any more.", pooler({ wanted: false }), "unpool"],
    [
      "end the pooler of pg: it does not answer for 3 s.",
      pooler({ answers: false }, { silentSince: now - 3_000 }),
      "unpool",
    ],
  ])("says: %s", (sentence, one, step) => {
    expect(planned(one)).toEqual({ sentence, steps: [{ do: step, pooler: one.id }] });
  });

  it("waits a while for one that does not answer", () => {
    expect(planned(pooler({ answers: false }, { silentSince: now - 2_000 })).steps).toEqual([]);
  });

  it("keeps one paused as long as a change of leader is under way", () => {
    const change = { kind: "switchover" as const, to: "a1", because: "it was asked for" };
    const view = cluster([leader, member("a1", { ...leading, recovering: true, streaming: true })], {
      pool,
      poolers: [pooler({ paused: true })],
      change,
    });
    expect(plan(view).steps.filter((step) => step.do === "pool")).toEqual([]);
  });

  it("lets it look into new databases as soon as there is a leader to ask, and not while an attempt failed a moment ago", () => {
    const view = cluster([leader], { pool, poolers: [pooler({})], unadmitted: ["web"] });
    expect(plan(view).steps).toEqual([{ do: "admit", databases: ["web"] }]);
    const trouble = { step: "admit", why: "it is locked", attempts: 1, until: view.now + 500 };
    expect(plan({ ...view, admission: { busy: undefined, trouble } }).steps).toEqual([]);
    expect(plan(cluster([member("a0", { ...leading, answers: false })], { pool, unadmitted: ["web"] })).steps).toEqual(
      [],
    );
  });

  it("configures one that runs when what its settings ask is there, and removes what an older Perch left when none asks it", () => {
    const asking = pooler({ current: false });
    const world = (more: object) => plan(cluster([leader], { pool, poolers: [asking], ...more })).steps;
    expect(world({ unadmitted: ["web"], older: ["web"] })).toEqual([{ do: "admit", databases: ["web"] }]);
    expect(world({ older: ["web"] })).toEqual([{ do: "pool", pooler: "leader" }]);
    expect(
      world({ older: ["web"], poolers: [pooler({}), pooler({ running: false, answers: false }, { id: "a0" })] }),
    ).toEqual([{ do: "pool", pooler: "a0" }]);
    expect(world({ older: ["web"], poolers: [pooler({})] })).toEqual([{ do: "sweep", databases: ["web"] }]);
  });

  it("does not let a database that cannot be looked into keep a cluster from its next leader", () => {
    const ready = member("a1", { ...leading, recovering: true, streaming: true, received: 10n });
    const dead = member("a0", { ...down, data: false });
    const view = cluster([dead, ready], { pool, poolers: [pooler({})], unadmitted: ["web"] });
    const trouble = { step: "admit", why: "it is locked", attempts: 9, until: view.now + 30_000 };
    expect(plan({ ...view, admission: { busy: "admit", trouble } }).steps.map((step) => step.do)).toEqual(["lead"]);
  });
});
