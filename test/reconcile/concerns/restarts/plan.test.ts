import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ClusterView, MemberFacts, MemberView } from "../../../../src/cluster/view.ts";
import type { Restarting } from "../../../../src/model/records.ts";
import { concerns } from "../../../../src/reconcile/concerns/concerns.ts";
import { forRestart, type RestartFacts, type RestartStep } from "../../../../src/reconcile/concerns/restarts/plan.ts";
import { plan } from "../../../../src/reconcile/plan.ts";
import { cluster, down, judged, leading, member, streaming } from "../../world.ts";

const at = (pid: number) => ({ pid, startTime: "1 2" });
const facts: RestartFacts = { floors: new Map(), lowers: false, loweredSince: undefined };
const runs = (id: string, pid: number, how: MemberFacts, more: Parameters<typeof member>[2] = {}) =>
  member(id, how, { ...more, record: { ...more.record, process: at(pid) } });
/** Three members that ran as 1, 2 and 3 when it began. */
const wish: Restarting = {
  done: [],
  floors: { max_connections: 100 },
  processes: { a1: at(1), a2: at(2), l1: at(3) },
  leader: "a1",
  settings: {},
};
const world = (members: MemberView[], restarting: Partial<Restarting> = {}, leader = "a1") =>
  cluster(members, {
    leader,
    slots: members.map(({ record }) => `perch_${record.id}`),
    restarting: { ...wish, ...restarting },
  });
const says = (view: ClusterView, found: Partial<RestartFacts> = {}) =>
  forRestart(view, { ...facts, ...found }).map(({ because }) => because);
const [old1, old2, old3] = [runs("a1", 1, leading), runs("a2", 2, streaming), runs("l1", 3, streaming)];
const [new1, new2, new3] = [runs("a1", 11, leading), runs("a2", 12, streaming), runs("l1", 13, streaming)];

describe("a restart of all members", () => {
  it("writes down what runs, before anything is restarted: also one that an older Perch began", () => {
    const view = cluster([old1, old2], { restarting: { done: ["a2"], floors: {} } });
    expect(says(view)).toEqual(["restart every member of pg: it was asked for"]);
  });

  it.each<[string, ClusterView, string[]]>([
    ["begins with a replica", world([old1, old2, old3]), ["restart the replica a2 in ams: it was asked for"]],
    ["goes on with the next", world([old1, new2, old3]), ["restart the replica l1 in lhr: it was asked for"]],
    [
      "hands over before the leader is restarted",
      world([old1, new2, new3]),
      ["the replica a2 in ams takes over before the leader is restarted"],
    ],
    [
      "restarts it in place where that was tried",
      world([old1, new2, new3], { inPlace: "in place, for a change of leader would take slot cdc" }),
      ["restart the leader a1 in ams: in place, for a change of leader would take slot cdc"],
    ],
    ["and where it is alone", world([old1]), ["restart the leader a1 in ams: it was asked for"]],
    ["is over when each runs as another process", world([new1, new2, new3]), ["every member of pg was restarted"]],
    [
      "is over when another leads and the former one follows",
      world([runs("a1", 11, streaming), runs("a2", 12, leading), new3], {}, "a2"),
      ["every member of pg was restarted"],
    ],
    [
      "waits for the former leader until it follows",
      world([runs("a1", 11, { ...streaming, streaming: false }), runs("a2", 12, leading), new3], {}, "a2"),
      [],
    ],
    ["waits for one that starts", world([old1, runs("a2", 12, { ...streaming, answers: false }), old3]), []],
    ["waits for the end of the step", world([old1, runs("a2", 12, streaming, { busy: "restart" }), old3]), []],
    [
      "waits for nobody who was stopped meanwhile",
      world([old1, member("a2", down, { record: { wanted: "stopped" } }), old3]),
      ["restart the replica l1 in lhr: it was asked for"],
    ],
    ["waits for nobody who is gone", world([old1, old3]), ["restart the replica l1 in lhr: it was asked for"]],
    [
      "restarts once more who was restarted with settings that were taken back, and nobody else",
      world([old1, new2, runs("l1", 13, streaming)], { refused: "l1" }),
      ["the settings of pg were taken back: who was restarted is restarted once more"],
    ],
  ])("%s", (_title, view, expected) => {
    expect(says(view)).toEqual(expected);
  });

  it("waits three seconds for a replica that was restarted to follow, and no longer", () => {
    const late = (since: number) =>
      world([old1, runs("a2", 12, { ...streaming, streaming: false }, { since: { stranded: since } })]);
    expect(says(late(999_000))).toEqual([]);
    expect(says(late(990_000))).toEqual(["restart the leader a1 in ams: it was asked for"]);
    // In the look in which it came back the leader could not be asked.
    expect(says(world([old1, runs("a2", 12, { ...streaming, streaming: false })]))).toEqual([]);
  });

  it("restarts the leader in place where it would have less than before, and the replicas once more when they heard of it", () => {
    expect(says(world([old1, new2, new3]), { lowers: true })).toEqual([
      "restart the leader a1 in ams: it was asked for",
    ]);
    const has = (a2: number, l1: number): Partial<RestartFacts> => ({
      floors: new Map([
        ["a1", { max_connections: 50 }],
        ["a2", { max_connections: a2 }],
        ["l1", { max_connections: l1 }],
      ]),
      loweredSince: 995_000,
    });
    const again = (found: Partial<RestartFacts>) =>
      forRestart(world([new1, new2, new3]), { ...facts, ...found }).map(({ step }) => (step as RestartStep).machines);
    expect(again(has(50, 100))).toEqual([]);
    expect(again(has(50, 50))).toEqual([["a2", "l1"]]);
    // One that does not hear of it for ten seconds is not waited for.
    expect(again({ ...has(50, 100), loweredSince: 980_000 })).toEqual([["a2"]]);
  });

  it("keeps still while the leader changes", () => {
    const change = { kind: "switchover" as const, to: "a2", because: "it was asked for" };
    const view = world([old1, old2, old3]);
    expect(says({ ...view, cluster: { ...view.cluster, change } })).toEqual([]);
  });

  it("from any state comes to its end, restarts nobody twice, one after the other, and the leader last", () => {
    const some = fc.array(fc.record({ near: fc.boolean(), restarted: fc.boolean(), runs: fc.boolean() }), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(
        some,
        fc.boolean(),
        fc.option(fc.constant("in place"), { nil: undefined }),
        (others, led, inPlace) => {
          const replicas = others.map((one, index) =>
            runs(
              `${one.near ? "a" : "l"}${index + 2}`,
              one.restarted ? 100 + index : index,
              one.runs ? streaming : { ...down },
            ),
          );
          const processes = Object.fromEntries(replicas.map(({ record }, index) => [record.id, at(index)]));
          let view = world(
            [runs("a1", led ? 50 : 99, leading), ...replicas.filter(({ facts: { running } }) => running)],
            {
              processes: { ...processes, a1: at(50) },
              ...(inPlace === undefined ? {} : { inPlace }),
            },
          );
          const restarted: string[] = [];
          for (let passes = 0; view.cluster.restarting !== undefined; passes++) {
            expect(passes).toBeLessThan(12);
            const all = plan({ ...view, found: new Map([["restart", facts]]) }, concerns).steps;
            const steps = all.filter((step) => step.do !== "slots");
            expect(steps).toHaveLength(1);
            const [step] = steps;
            if (step?.do === "restart") {
              expect(restarted).not.toContain(step.machine);
              restarted.push(step.machine);
              view = moved(view, step.machine);
            } else if (step?.do === "concern" && step.what === "hand-over") {
              const [to = ""] = (step as RestartStep).machines;
              expect(view.members.find(({ record }) => record.id === to)?.record.process?.pid).toBeGreaterThanOrEqual(
                50,
              );
              restarted.push("a1");
              view = moved({ ...view, cluster: { ...view.cluster, leader: to } }, "a1");
            } else {
              expect(step).toMatchObject({ do: "concern", what: "finish" });
              const { restarting: _over, ...record } = view.cluster;
              view = { ...view, cluster: record };
            }
          }
          expect(restarted.indexOf("a1")).toBe(restarted.includes("a1") ? restarted.length - 1 : -1);
          expect(restarted.includes("a1")).toBe(led);
        },
      ),
      { seed: 20261128, numRuns: 500 },
    );
  });
});

/** That member runs as another process; who leads is as the record says. */
function moved(view: ClusterView, id: string): ClusterView {
  const { leader } = view.cluster;
  return judged({
    ...view,
    members: view.members.map((one) => ({
      ...one,
      record:
        one.record.id === id ? { ...one.record, process: at((one.record.process?.pid ?? 0) + 1_000) } : one.record,
      facts: one.record.id === leader ? leading : streaming,
    })),
  });
}
