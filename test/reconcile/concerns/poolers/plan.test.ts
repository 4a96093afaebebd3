import { describe, expect, it } from "vitest";
import { lookupKey, poolerConcern, type PoolFacts } from "../../../../src/cluster/poolers.ts";
import type { Trouble } from "../../../../src/cluster/view.ts";
import type { Pool } from "../../../../src/model/records.ts";
import { concerns } from "../../../../src/reconcile/concerns/concerns.ts";
import { plan } from "../../../../src/reconcile/plan.ts";
import { cluster, down, leading, member } from "../../world.ts";

type Found = PoolFacts["poolers"][number];
const pool: Pool = { mode: "transaction", size: 20, address: "fdaa:1:2:1::20" };
const well = { wanted: true, running: true, answers: true, current: true, paused: false, version: "1.18.0" };
const pooler = (facts: Partial<Found["facts"]>, more: Partial<Omit<Found, "facts">> = {}): Found => ({
  id: "leader",
  facts: { ...well, ...facts },
  silentSince: undefined,
  ...more,
});
const leader = member("a0", leading);
const now = cluster([leader]).now;
type More = NonNullable<Parameters<typeof cluster>[1]>;
/** A cluster with a pool, and what was found of it. */
function world(found: Partial<PoolFacts>, more: More & { members?: ReturnType<typeof member>[] } = {}) {
  const facts: PoolFacts = { poolers: [], password: true, role: true, unadmitted: [], older: [], ...found };
  return cluster(more.members ?? [leader], { pool, found: new Map([[poolerConcern, facts]]), ...more });
}
const planned = (...poolers: Found[]) => plan(world({ poolers }), concerns);
const lookup = (what: "admit" | "sweep", databases: string[]) => ({
  do: "concern",
  concern: "pooler",
  app: "pg",
  what,
  thing: "lookup",
  databases,
});
const on = (what: "run" | "end", id: string) => ({
  do: "concern",
  concern: "pooler",
  app: "pg",
  what,
  thing: id,
  pooler: id,
});
/** What is said, of a pooler that was asked for and is not there yet. */
const before = { version: "1.18.0" };
const sentence = (found: Partial<PoolFacts>, more: Parameters<typeof world>[1] = {}) =>
  plan(world(found, more), concerns).sentence;

describe("the plan for poolers", () => {
  it("leaves those alone that are as wanted", () => {
    expect(planned(pooler({})).steps).toEqual([]);
  });

  it.each([
    ["start the pooler of pg: it is wanted and does not run.", pooler({ running: false, answers: false }), "run"],
    ["configure the pooler of machine a0: its settings changed.", pooler({ current: false }, { id: "a0" }), "run"],
    [
      "switch the pooler of pg to session mode: in transaction mode PgBouncer 1.18.0 gives wrong rows to clients that prepare statements.",
      pooler({
        current: false,
        switches:
          "to session mode: in transaction mode PgBouncer 1.18.0 gives wrong rows to clients that prepare statements",
      }),
      "run",
    ],
    ["resume the pooler of pg: nothing changes any more for which it would wait.", pooler({ paused: true }), "run"],
    ["end the pooler of pg: it is not wanted any more.", pooler({ wanted: false }), "end"],
    [
      "end the pooler of pg: it does not answer for 3 s.",
      pooler({ answers: false }, { silentSince: now - 3_000 }),
      "end",
    ],
  ] as [string, Found, "run" | "end"][])("says: %s", (said, one, step) => {
    expect(planned(one)).toEqual({ sentence: said, steps: [on(step, one.id)] });
  });

  it("waits a while for one that does not answer", () => {
    expect(planned(pooler({ answers: false }, { silentSince: now - 2_000 })).steps).toEqual([]);
  });

  it("keeps one paused as long as a change of leader is under way", () => {
    const change = { kind: "switchover" as const, to: "a1", because: "it was asked for" };
    const members = [leader, member("a1", { ...leading, recovering: true, streaming: true })];
    const view = world({ poolers: [pooler({ paused: true })] }, { members, change });
    expect(plan(view, concerns).steps.map((step) => step.do)).toEqual(["lead"]);
    // What the engine waits for before it begins is waited for here, too.
    const waiting = { ...view, verdict: { do: "keep" as const } };
    expect(plan(waiting, concerns).steps.filter((step) => step.do === "concern")).toEqual([]);
  });

  it("lets it look into new databases as soon as there is a leader to ask, and not while an attempt failed a moment ago", () => {
    const found = { poolers: [pooler({})], unadmitted: ["web"] };
    expect(plan(world(found), concerns).steps).toEqual([lookup("admit", ["web"])]);
    const trouble: Trouble = { step: "admit", why: "it is locked", attempts: 1, until: now + 500 };
    const things = new Map([[lookupKey, { busy: undefined, trouble }]]);
    expect(plan(world(found, { things }), concerns).steps).toEqual([]);
    const silent = [member("a0", { ...leading, answers: false })];
    expect(plan(world(found, { members: silent }), concerns).steps).toEqual([]);
  });

  it("configures one that runs when what its settings ask is there, and removes what an older Perch left when none asks it", () => {
    const asking = pooler({ current: false });
    const steps = (more: Partial<PoolFacts>) => plan(world({ poolers: [asking], ...more }), concerns).steps;
    expect(steps({ unadmitted: ["web"], older: ["web"] })).toEqual([lookup("admit", ["web"])]);
    expect(steps({ older: ["web"] })).toEqual([on("run", "leader")]);
    expect(
      steps({ older: ["web"], poolers: [pooler({}), pooler({ running: false, answers: false }, { id: "a0" })] }),
    ).toEqual([on("run", "a0")]);
    expect(steps({ older: ["web"], poolers: [pooler({})] })).toEqual([lookup("sweep", ["web"])]);
  });

  it("does not let a database that cannot be looked into keep a cluster from its next leader", () => {
    const ready = member("a1", { ...leading, recovering: true, streaming: true, received: 10n });
    const dead = member("a0", { ...down, data: false });
    const trouble: Trouble = { step: "admit", why: "it is locked", attempts: 9, until: now + 30_000 };
    const view = world(
      { poolers: [pooler({})], unadmitted: ["web"] },
      { members: [dead, ready], things: new Map([[lookupKey, { busy: "admit", trouble }]]) },
    );
    expect(plan(view, concerns).steps.map((step) => step.do)).toEqual(["lead"]);
  });

  it("starts one that died while there is no leader: who comes through it waits there", () => {
    const members = [member("a0", down, { busy: "start" })];
    const found = { poolers: [pooler({ running: false, answers: false })], unadmitted: ["web"], older: ["web"] };
    expect(plan(world(found, { members }), concerns).steps).toEqual([on("run", "leader")]);
  });

  it("ends them all before a member of a cluster that is being destroyed, and a step under way keeps the members waiting, too", () => {
    const found = { poolers: [pooler({}), pooler({ running: false, answers: false }, { id: "a0" })] };
    const view = world(found, { phase: "destroying" });
    expect(plan(view, concerns).steps).toEqual([on("end", "leader"), on("end", "a0")]);
    const busy = { busy: "end", trouble: undefined };
    const things = new Map([
      ["pooler leader", busy],
      ["pooler a0", busy],
    ]);
    expect(plan({ ...view, things }, concerns).steps).toEqual([]);
    expect(plan(world({ poolers: [] }, { phase: "destroying" }), concerns).steps.map((step) => step.do)).toEqual([
      "stop",
    ]);
  });

  it("makes the role first, and starts none without the password of it", () => {
    const none = pooler({ running: false, answers: false });
    const made = "make the role perch_pooler: poolers look others up as this one.";
    expect(sentence({ poolers: [none], password: false, role: false, unadmitted: ["web"] })).toBe(made);
    // Somebody changed the role's password: what runs goes on, and nothing else waits for it.
    expect(sentence({ poolers: [pooler({})], role: false })).toBe(made);
    expect(sentence({ poolers: [none], role: undefined })).toBe(
      "start the pooler of pg: it is wanted and does not run.",
    );
  });

  it("accepts what was asked for when all of it is so, and not a moment before", () => {
    const accepted = "the pooler of pg is as it was asked for.";
    expect(sentence({ poolers: [pooler({})] }, { poolBefore: before })).toBe(accepted);
    expect(sentence({ poolers: [pooler({})] })).not.toBe(accepted);
    for (const found of [
      { poolers: [pooler({}), pooler({ running: false, answers: false }, { id: "a0" })] },
      { poolers: [pooler({ answers: false })] },
      { poolers: [pooler({ paused: true })] },
      { poolers: [pooler({})], unadmitted: ["web"] },
      { poolers: [pooler({})], role: undefined },
    ])
      expect(sentence(found, { poolBefore: before })).not.toContain(accepted);
  });

  it("replaces one of another version, or of an older Perch's user, when a pooler is asked for, and leaves it running else", () => {
    const newer = { poolBefore: { version: "1.21.0" } };
    expect(sentence({ poolers: [pooler({})] }, newer)).toBe(
      "end the pooler of pg: it is PgBouncer 1.18.0, and 1.21.0 is there now.",
    );
    expect(sentence({ poolers: [pooler({ former: true })] }, { poolBefore: before })).toBe(
      "end the pooler of pg: it runs as the user of an older Perch.",
    );
    expect(planned(pooler({ former: true })).steps).toEqual([]);
    // One that does not answer does not say which it is.
    expect(plan(world({ poolers: [pooler({ answers: false, version: undefined })] }, newer), concerns).steps).toEqual(
      [],
    );
  });

  it("drops the role when the last pooler is gone, as soon as there is a leader to ask", () => {
    const off = (found: Partial<PoolFacts>, members = [leader]) => {
      const { pool: _none, ...record } = world({}).cluster;
      return plan({ ...world(found, { members }), cluster: record }, concerns).steps;
    };
    expect(off({ poolers: [pooler({ wanted: false })], role: undefined })).toEqual([on("end", "leader")]);
    expect(off({ role: undefined })).toMatchObject([{ what: "drop-role" }]);
    expect(off({ role: undefined }, [member("a0", { ...leading, answers: false })])).toEqual([]);
    expect(off({ role: undefined, password: false })).toEqual([]);
  });
});
