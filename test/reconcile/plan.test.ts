import { concerns } from "../../src/reconcile/concerns/concerns.ts";
import type { Trouble } from "../../src/cluster/view.ts";
import { describe, expect, it } from "vitest";
import { plan } from "../../src/reconcile/plan.ts";
import type { ClusterView } from "../../src/cluster/view.ts";
import { attachment, cluster, down, leading, member, nothing, streaming } from "./world.ts";

const trouble = (until: number) => ({ step: "start", why: "port 5433 is taken", attempts: 2, until });

const stranded = { since: { stranded: 900_000 } };
const behind = (why: string, walGone: boolean) => ({
  ...streaming,
  streaming: false,
  apart: { fit: undefined, why, walGone },
});

describe("plan says in one sentence what it does and why", () => {
  it.each([
    [
      "makes a leader that was asked for",
      cluster([member("a1", nothing, { record: { phase: "creating" } })], { phase: "creating" }),
      "make the leader a1 in ams: it was asked for.",
    ],
    [
      "starts it when its data is ready",
      cluster([member("a1", down, { record: { phase: "creating" } })], { phase: "creating" }),
      "start the leader a1 in ams: its data directory is ready.",
    ],
    [
      "accepts it when it takes writes",
      cluster([member("a1", leading, { record: { phase: "creating" } })], { phase: "creating" }),
      "the leader a1 in ams is ready: it takes reads and writes.",
    ],
    [
      "opens the cluster when all members are ready",
      cluster([member("a1", leading)], { phase: "creating" }),
      "cluster pg is ready with 1 member.",
    ],
    [
      "makes the slot before the copy, so that no WAL is missed",
      cluster([member("a1", leading), member("l1", nothing, { record: { phase: "creating" } })]),
      "make slot perch_l1: a replica will stream from it.",
    ],
    [
      "copies the leader once the slot is there",
      cluster([member("a1", leading), member("l1", nothing, { record: { phase: "creating" } })], {
        slots: ["perch_l1"],
      }),
      "copy the leader to the replica l1 in lhr: it was asked for.",
    ],
    [
      "accepts a replica that streams",
      cluster([member("a1", leading), member("l1", streaming, { record: { phase: "creating" } })], {
        slots: ["perch_l1"],
      }),
      "the replica l1 in lhr is ready: it streams from the leader.",
    ],
    [
      "starts everything after a reboot, side by side",
      cluster([member("a1", down), member("l1", down)], { slots: ["perch_l1"] }),
      "start the leader a1 in ams: it is wanted started and does not run; start the replica l1 in lhr: it is wanted started and does not run.",
    ],
    [
      "copies again when a replica lost its data directory",
      cluster([member("a1", leading), member("l1", nothing)], { slots: ["perch_l1"] }),
      "copy the leader to the replica l1 in lhr: its data directory is gone, and the leader has everything.",
    ],
    ...(["28P01", "28000", "42501", "3D000"] as const).map((state): [string, ClusterView, string] => [
      `puts Perch's own roles right when the leader refuses it with ${state}, and starts nothing again`,
      cluster([member("a1", { ...leading, refused: { state, why: "it said no" } })]),
      "put Perch's own roles right on the leader a1 in ams: it said no.",
    ]),
    ...(["53300", "53200", "XX000"] as const).map((state): [string, ClusterView, string] => [
      `leaves a leader alone that answers with ${state}`,
      cluster([member("a1", { ...leading, refused: { state, why: "it said no" } })]),
      "pg is as wanted: 1 of 1 members run.",
    ]),
    [
      "stops what is wanted stopped",
      cluster([member("a1", leading, { record: { wanted: "stopped" } })]),
      "stop the leader a1 in ams: it is wanted stopped.",
    ],
    [
      "leaves alone what is stopped as wanted",
      cluster([member("a1", down, { record: { wanted: "stopped" } })]),
      "pg is as wanted: 0 of 1 members run.",
    ],
    [
      "drops the slot of a replica that is gone",
      cluster([member("a1", leading)], { slots: ["perch_l1"] }),
      "drop slot perch_l1: its replica is gone.",
    ],
    [
      "stops a replica before it removes it",
      cluster([member("a1", leading), member("l1", streaming, { record: { phase: "destroying" } })], {
        slots: ["perch_l1"],
      }),
      "stop the replica l1 in lhr: it is being destroyed.",
    ],
    [
      "removes a stopped replica and its slot",
      cluster([member("a1", leading), member("l1", down, { record: { phase: "destroying" } })], {
        slots: ["perch_l1"],
      }),
      "drop slot perch_l1: its replica is gone; remove the replica l1 in lhr and its data: it is being destroyed.",
    ],
    [
      "stops every member of a cluster that is destroyed",
      cluster([member("a1", leading)], { phase: "destroying" }),
      "stop the leader a1 in ams: the cluster is being destroyed.",
    ],
    ["forgets a cluster without members", cluster([], { phase: "destroying" }), "forget pg: no member of it is left."],
    [
      "configures a member whose settings changed",
      cluster([member("a1", { ...leading, configured: false })]),
      "configure the leader a1 in ams: its settings changed.",
    ],
    [
      "restarts what cannot be asked, for its unix socket is gone",
      cluster([member("a1", { ...leading, answers: false, unreachable: true })]),
      "restart the leader a1 in ams: its unix socket is gone, and it cannot be asked without.",
    ],
    [
      "attaches",
      cluster([member("a1", leading)], { attachments: [attachment("creating")] }),
      "attach web to pg: a role, a database and DATABASE_URL.",
    ],
    [
      "detaches",
      cluster([member("a1", leading)], {
        attachments: [attachment("destroying", { made: { database: false, user: true }, detaching: true })],
      }),
      "detach web from pg: role web and DATABASE_URL go.",
    ],
    [
      "drops the database of what is detached with it",
      cluster([member("a1", leading)], { attachments: [attachment("destroying", { detaching: true })] }),
      "drop database web of pg with everything in it: detaching web was asked for with it.",
    ],
    [
      "waits after a failure",
      cluster([member("a1", down, { trouble: trouble(1_000_001) })]),
      "the leader a1 in ams waits before the next attempt: port 5433 is taken.",
    ],
    [
      "tries again when the wait is over",
      cluster([member("a1", down, { trouble: trouble(1_000_000) })]),
      "start the leader a1 in ams: it is wanted started and does not run.",
    ],
    [
      "says that a leader's data is gone, and why nobody leads in its place",
      cluster([member("a1", nothing), member("l1", streaming)]),
      "pg has no leader: its data directory is gone, and no other member may lead: no replica is in its primary region ams; restore it from a copy.",
    ],
    [
      "fails over when the leader's data is gone",
      cluster([member("a1", nothing), member("a2", streaming)]),
      "failover of pg: its data directory is gone; the most advanced of 1 replica in ams leads from here on.",
    ],
    [
      "waits for a replica where that was asked for",
      cluster([member("a1", leading), member("a2", streaming)], {
        slots: ["perch_a2"],
        synchronous: { names: [], holders: [] },
      }),
      "acknowledge a commit when a2 has it, too.",
    ],
    [
      "goes on without replicas when none streams",
      cluster([member("a1", leading), member("a2", streaming, { record: { wanted: "stopped" } })], {
        slots: ["perch_a2"],
        synchronous: { names: ["a2"], holders: ["a2"] },
      }),
      "acknowledge commits by the leader alone: no replica of its region streams; stop the replica a2 in ams: it is wanted stopped.",
    ],
    [
      "makes a lost slot again first",
      cluster([member("a1", leading), member("a2", behind("could not start WAL streaming", false), stranded)], {
        slots: ["perch_a2"],
        lostSlots: ["perch_a2"],
      }),
      "make slot perch_a2 again: it was given up, and its replica may still find what it needs.",
    ],
    [
      "copies a replica whose WAL is gone, and keeps what it has",
      cluster(
        [member("a1", leading), member("a2", behind("requested WAL segment has already been removed", true), stranded)],
        {
          slots: ["perch_a2"],
        },
      ),
      "copy the leader to the replica a2 in ams: it fell so far behind that the WAL it needs is gone, on the leader, too.",
    ],
    [
      "copies one replica at a time",
      cluster(
        [
          member("a1", leading),
          member("a2", behind("removed", true), stranded),
          member("l1", behind("removed", true), stranded),
        ],
        {
          slots: ["perch_a2", "perch_l1"],
        },
      ),
      "copy the leader to the replica a2 in ams: it fell so far behind that the WAL it needs is gone, on the leader, too.",
    ],
    [
      "puts a whole copy in place",
      cluster([member("a1", leading), member("a2", { ...down, copied: true })], { slots: ["perch_a2"] }),
      "put the new copy of the replica a2 in ams in place: it is whole, and what it replaces is kept.",
    ],
    [
      "removes the former data when the copy streams",
      cluster([member("a1", leading), member("a2", { ...streaming, former: true })], { slots: ["perch_a2"] }),
      "remove the former data of the replica a2 in ams: its new copy streams.",
    ],
    [
      "restarts a replica that does not stream and does not say why",
      cluster(
        [member("a1", leading), member("a2", { ...streaming, streaming: false }, { since: { stranded: 960_000 } })],
        { slots: ["perch_a2"] },
      ),
      "restart the replica a2 in ams: it does not stream for 30 s, and its log does not say why.",
    ],
    [
      "restarts it once",
      cluster(
        [
          member("a1", leading),
          member("a2", { ...streaming, streaming: false }, { since: { stranded: 960_000, reconnected: 930_000 } }),
        ],
        {
          slots: ["perch_a2"],
        },
      ),
      "pg is as wanted: 2 of 2 members run.",
    ],
    [
      "drops the slots that a former leader kept",
      cluster([member("a1", leading), member("a2", { ...streaming, ownSlots: ["perch_a1", "perch_l1"] })], {
        slots: ["perch_a2"],
      }),
      "drop slot perch_a1, perch_l1 of the replica a2 in ams: it is from when that led.",
    ],
    [
      "takes back a replica that somebody promoted",
      cluster([member("a1", leading), member("a2", leading)], { slots: ["perch_a2"] }),
      "rewind the replica a2 in ams: it was promoted by somebody else, and there is another leader.",
    ],
    [
      "rewinds a replica with WAL of its own, once it is sure",
      cluster(
        [
          member("a1", leading),
          member("a2", { ...streaming, streaming: false, diverged: true }, { since: { stranded: 998_000 } }),
        ],
        {
          slots: ["perch_a2"],
        },
      ),
      "rewind the replica a2 in ams: it has WAL that the leader never had.",
    ],
    [
      "copies a replica whose WAL is gone, though it is taken for one with WAL of its own, where a rewind did not help",
      cluster(
        [
          member("a1", leading),
          member(
            "a2",
            {
              ...streaming,
              streaming: false,
              diverged: true,
              apart: { fit: undefined, why: undefined, walGone: true },
            },
            { since: { stranded: 994_000, rewound: 993_000 } },
          ),
        ],
        { slots: ["perch_a2"] },
      ),
      "copy the leader to the replica a2 in ams: it fell so far behind that the WAL it needs is gone, on the leader, too.",
    ],
    [
      "rewinds a former leader before it is started",
      cluster(
        [
          member("a1", leading),
          member("a2", { ...down, apart: { fit: { fit: "parted" }, why: undefined, walGone: false } }),
        ],
        {
          slots: ["perch_a2"],
        },
      ),
      "rewind the replica a2 in ams: it led, and may have WAL that the leader never had.",
    ],
    [
      "starts ever more slowly what dies again and again",
      cluster([member("a1", leading), member("a2", down, { deaths: [980_000, 990_000, 999_900] })], {
        slots: ["perch_a2"],
      }),
      "the replica a2 in ams died 3 times within a minute and waits before the next start.",
    ],
  ])("%s", (_title, view, sentence) => {
    expect(plan(view, concerns).sentence).toBe(sentence);
  });
});

describe("plan never", () => {
  it("keeps a failover waiting for a step on the cluster that failed", () => {
    const failed = { step: "slots", why: "all replication slots are in use", attempts: 9, until: 2_000_000 };
    const view = cluster([member("a1", nothing), member("a2", streaming)]);
    expect(plan({ ...view, trouble: failed }).steps.map((step) => step.do)).toEqual(["lead"]);
    expect(plan({ ...view, trouble: { ...failed, step: "lead" } }).steps).toEqual([]);
  });
  it("plans on a member that has a step under way", () => {
    expect(plan(cluster([member("a1", down, { busy: "start" })])).steps).toEqual([]);
  });
  it("copies from a leader that does not take writes", () => {
    const view = cluster(
      [member("a1", { ...leading, recovering: true }), member("l1", nothing, { record: { phase: "creating" } })],
      {
        slots: ["perch_l1"],
      },
    );
    expect(plan(view).steps.map((step) => step.do)).toEqual(["lead"]);
  });
  it("begins anything else while the leader changes", () => {
    const view = cluster([member("a1", down), member("a2", leading), member("a3", down)]);
    expect(plan({ ...view, busy: "lead" })).toEqual({ sentence: "pg changes its leader.", steps: [] });
  });
  it("touches databases while there is no leader", () => {
    expect(
      plan(cluster([member("a1", down, { busy: "start" })], { attachments: [attachment("creating")] }), concerns).steps,
    ).toEqual([]);
  });
  it("begins a step of a concern on what one is under way on, or waits after a failure, and does not keep others waiting for it", () => {
    const view = cluster([member("a1", { ...leading, configured: false })], { attachments: [attachment("creating")] });
    const [, grant] = plan(view, concerns).steps;
    expect(grant).toMatchObject({ do: "concern", what: "grant", thing: "web DATABASE_URL" });
    const held = (on: { busy?: string; trouble?: Trouble }) => {
      const things = new Map([["attachment web DATABASE_URL", { busy: undefined, trouble: undefined, ...on }]]);
      return plan({ ...view, things }, concerns).steps.map((step) => step.do);
    };
    const failed = { step: "grant", why: "it is busy", attempts: 1, until: view.now + 1 };
    expect([
      held({ busy: "grant" }),
      held({ trouble: failed }),
      held({ trouble: { ...failed, until: view.now } }),
    ]).toEqual([["configure"], ["configure"], ["configure", "concern"]]);
  });
  it("initialises over a cluster that was ready once", () => {
    expect(plan(cluster([member("a1", nothing)])).steps).toEqual([]);
  });
  it("plans two steps on one thing", () => {
    const process = { pid: 7, startTime: "1 2" };
    const view = cluster(
      [
        member("a1", { ...leading, configured: false }, { record: { process } }),
        member("l1", { ...streaming, configured: false }, { record: { process } }),
      ],
      {
        slots: ["perch_l1"],
        restarting: { done: [], floors: {}, processes: { a1: process, l1: process } },
        found: new Map([["restart", { floors: new Map(), lowers: false, loweredSince: undefined }]]),
      },
    );
    const touched = plan(view, concerns).steps.map((step) => ("machine" in step ? step.machine : step.do));
    expect(new Set(touched).size).toBe(touched.length);
  });
});
