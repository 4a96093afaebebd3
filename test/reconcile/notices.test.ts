import { describe, expect, it } from "vitest";
import { missingSegment, whyNotStreaming } from "../../src/reconcile/apart.ts";
import { newNotices, noticeOf } from "../../src/reconcile/notices.ts";
import { plan } from "../../src/reconcile/plan.ts";
import type { MemberFacts, MemberView } from "../../src/cluster/view.ts";
import { cluster, down, leading, member, streaming } from "./world.ts";

const stuck: MemberFacts = { ...streaming, streaming: false };
const said = (facts: MemberFacts, more: Parameters<typeof cluster>[1] = {}) => {
  const replica = member("l1", facts, { since: { stranded: 900_000 } });
  return noticeOf(cluster([member("a1", leading), replica], more), replica);
};

describe("of a replica it is said", () => {
  it.each<[string, MemberFacts, RegExp]>([
    ["nothing, while it streams", streaming, /^undefined$/],
    [
      "what its log says",
      { ...stuck, apart: { fit: undefined, why: "password authentication failed", walGone: false } },
      /: password authentication failed$/,
    ],
    ["that its log says nothing", stuck, /its log does not say why$/],
    ["that its former data is kept", { ...stuck, former: true }, /its former data is kept until it streams$/],
    [
      "that it is copied",
      { ...stuck, apart: { fit: undefined, why: "", walGone: true } },
      /its data stays until the copy streams$/,
    ],
    ["that somebody paused it", { ...streaming, paused: { short: undefined } }, /pg_wal_replay_resume\(\) on/],
    [
      "in what it has less than its leader",
      { ...streaming, paused: { short: "max_connections is 200 on the leader and 100 here" } },
      /max_connections is 200 .* restarted/,
    ],
  ])("%s", (_what, facts, words) => {
    expect(String(said(facts))).toMatch(words);
  });

  it("that its unix socket was removed, and of its leader, too; one that cannot be asked without it is restarted", () => {
    const leader = member("a1", { ...leading, unreachable: true });
    const replica = member("l1", { ...streaming, unreachable: true });
    const both = cluster([leader, replica], { slots: ["perch_l1"] });
    for (const one of [leader, replica])
      expect(noticeOf(both, one)).toMatch(/^its unix socket was removed: .* perch postgres restart -a pg$/);
    expect(newNotices(both, new Map())).toHaveLength(2);
    expect(plan(both).steps).toEqual([]);
    const silent = cluster([member("a1", { ...leading, unreachable: true, answers: false, recovering: undefined })]);
    expect(plan(silent)).toEqual({
      sentence: "restart the leader a1 in ams: its unix socket is gone, and it cannot be asked without.",
      steps: [{ do: "restart", machine: "a1" }],
    });
    // Where it answers with an error, that is an answer.
    const refused = { state: "53300", why: "too many clients" };
    expect(plan(cluster([member("a1", { ...leading, unreachable: true, refused })])).steps).toEqual([]);
  });

  it("that its program is another version's, or gone, and of its leader, too", () => {
    const other = said({ ...streaming, version: "15.18" }, { program: { version: "15.20", problem: undefined } });
    expect(other).toBe(
      "it runs 15.18, and the files in /usr/lib/postgresql/15/bin are 15.20: new sessions may fail; perch postgres restart -a pg",
    );
    const gone = { version: undefined, problem: "there is no postgres in /usr/lib/postgresql/15/bin" };
    const leader = member("a1", { ...leading, version: "15.18" });
    expect(noticeOf(cluster([leader], { program: gone }), leader)).toMatch(
      /^it runs on and could not be started again: there is no postgres/,
    );
    const dead = member("l1", down);
    expect(noticeOf(cluster([leader, dead], { program: gone }), dead)).toMatch(
      /^it cannot be started, and its data stays as it is/,
    );
  });
});

it("events have it once when it begins and once when it is over, whatever numbers change in it", () => {
  const told = new Map<string, string>();
  const look = (facts: MemberFacts, now: number) => {
    const replica = member("l1", facts, { since: facts.streaming ? {} : { stranded: 1_000 } });
    return newNotices({ ...cluster([member("a1", leading), replica]), now }, told);
  };
  const refused = (pid: number): MemberFacts => ({
    ...stuck,
    apart: { fit: undefined, why: `replication slot "perch_l1" is active for PID ${pid}`, walGone: false },
  });
  expect(look(refused(1), 2_000)).toEqual([]); // what is over within seconds is not worth a word
  expect(look(refused(1), 7_000)).toHaveLength(1);
  expect(look(refused(2), 8_000)).toEqual([]);
  expect(
    look({ ...stuck, apart: { fit: undefined, why: "password authentication failed", walGone: false } }, 9_000),
  ).toHaveLength(1);
  expect(look(streaming, 10_000)).toEqual(["replica l1 in lhr is well again"]);
  expect(look(streaming, 11_000)).toEqual([]);
});

describe("with a tablespace outside of the leader's data directory", () => {
  it("a replica is stopped at once, not started again, and says why; the leader goes on", () => {
    const runs = cluster([member("a1", leading), member("l1", streaming)], {
      tablespaces: ["16400"],
      slots: ["perch_l1"],
    });
    expect(plan(runs).steps).toEqual([{ do: "stop", machine: "l1", mode: "immediate" }]);
    expect(noticeOf(runs, runs.members[1] as MemberView)).toMatch(/^it is kept stopped: tablespace 16400 lies outside/);
    expect(noticeOf(runs, runs.members[0] as MemberView)).toBeUndefined();
    const stopped = cluster([member("a1", leading), member("l1", down)], {
      tablespaces: ["16400"],
      slots: ["perch_l1"],
    });
    expect(plan(stopped).steps).toEqual([]);
  });
});

describe("without a program", () => {
  const gone = { version: undefined, problem: "there is no postgres in /opt/pg/bin" };
  it("no replica is started, restarted, rewound or copied, and nothing is taken for a crash loop", () => {
    const parted: MemberFacts = { ...down, apart: { fit: { fit: "parted" }, why: undefined, walGone: false } };
    const lost: MemberFacts = { ...stuck, apart: { fit: undefined, why: "", walGone: true } };
    for (const facts of [down, parted, lost, stuck]) {
      const view = cluster([member("a1", leading), member("l1", facts, { since: { stranded: 1 } })], {
        slots: ["perch_l1"],
        program: gone,
      });
      expect(plan(view).steps).toEqual([]);
    }
    const dead = cluster([member("a1", down, { deaths: [999_000, 999_500, 999_900] }), member("a2", streaming)], {
      program: gone,
    });
    expect(plan(dead).steps.map((step) => step.do)).not.toContain("lead");
  });
});

describe("a replica's log", () => {
  const line = (message: string, at: string) => ({ at, level: "FATAL", message });
  const now = Date.parse("2026-11-28T05:00:30.000Z");
  it("says why it does not stream by its last line of late, and nothing by what is over", () => {
    const lines = [
      line("could not connect to the primary server: timeout", "2026-11-28T05:00:20.000Z"),
      line(
        "could not receive data from WAL stream: ERROR:  requested WAL segment 000000020000000000000005 has already been removed",
        "2026-11-28T05:00:25.000Z",
      ),
      line('role "web" does not exist', "2026-11-28T05:00:29.000Z"),
    ];
    const why = whyNotStreaming(lines, now);
    expect(missingSegment(why)).toBe("000000020000000000000005");
    expect(whyNotStreaming(lines, now + 60_000)).toBeUndefined();
    expect(missingSegment("requested starting point 0/5000000 is ahead")).toBeUndefined();
  });
});
