import { describe, expect, it } from "vitest";
import { cases, decide } from "../../../src/engine/local/cases.ts";
import type { Situation, Standing } from "../../../src/cluster/situation.ts";

const well: Standing = {
  id: "a1",
  region: "ams",
  wanted: true,
  ready: true,
  data: true,
  running: true,
  answers: true,
  recovering: false,
  streaming: false,
  received: 900n,
  suspendedSince: undefined,
  silentSince: undefined,
  deaths: [],
  failures: 0,
  busy: false,
};
const replica = (id: string, received = 900n, more: Partial<Standing> = {}): Standing => ({
  ...well,
  id,
  recovering: true,
  streaming: true,
  received,
  ...more,
});
const dead = { running: false, answers: false, recovering: undefined };
const situation = (
  leader: Partial<Standing>,
  others: Standing[] = [replica("a2")],
  more: Partial<Situation> = {},
): Situation => ({
  app: "pg",
  leader: "a1",
  primaryRegion: "ams",
  change: undefined,
  holders: undefined,
  members: [{ ...well, ...leader }, ...others],
  now: 1_000_000,
  ...more,
});

describe("what is done about a leader", () => {
  it.each<[string, Situation, object]>([
    ["nothing, while it leads", situation({}), { do: "keep" }],
    ["nothing, when a user stopped it", situation({ ...dead, wanted: false }), { do: "keep" }],
    ["it is started, when its postmaster died: nothing is lost by that", situation(dead), { do: "start" }],
    ["another leads, when it could not be started three times", situation({ ...dead, failures: 3 }), { do: "change" }],
    [
      "another leads, when it died three times within a minute",
      situation({ ...dead, deaths: [1, 2, 3] }),
      { do: "change" },
    ],
    [
      "it is tried on, when nobody else may lead",
      situation({ ...dead, failures: 9 }, [replica("l1", 900n, { region: "lhr" })]),
      { do: "start" },
    ],
    [
      "nothing yet, when a signal stopped it a moment ago",
      situation({ answers: false, suspendedSince: 999_000 }),
      { do: "keep" },
    ],
    [
      "it goes on, when a signal stopped it for three seconds",
      situation({ answers: false, suspendedSince: 997_000 }),
      { do: "resume" },
    ],
    [
      "nothing yet, when it does not answer for a moment",
      situation({ answers: false, silentSince: 990_000 }),
      { do: "keep" },
    ],
    [
      "it is restarted, when it does not answer for fifteen seconds",
      situation({ answers: false, silentSince: 985_000 }),
      { do: "restart" },
    ],
    [
      "the reason names what its socket said meanwhile",
      situation({ answers: false, silentSince: 985_000, silence: "connect ECONNREFUSED /run/s" }),
      { do: "restart", because: "it does not answer for 15 s (connect ECONNREFUSED /run/s)" },
    ],
    [
      "another leads, when its data is gone",
      situation({ data: false }),
      { do: "change", change: { kind: "failover", candidates: ["a2"] } },
    ],
    ["nobody leads, when its data is gone and it was alone", situation({ data: false }, []), { do: "stand" }],
    [
      "it is promoted, when its promotion was cut short",
      situation({ recovering: true }),
      { do: "change", change: { candidates: ["a1"] } },
    ],
    ["nothing else is begun, while a step on it is under way", situation({ data: false, busy: true }), { do: "keep" }],
  ])("%s", (_title, at, verdict) => {
    expect(decide(at)).toMatchObject(verdict);
  });

  it("every case of the table is met by one of these tests, and says when it holds", () => {
    expect(cases).toHaveLength(8);
    expect(new Set(cases.map((one) => one.when)).size).toBe(cases.length);
  });
});

describe("who leads next", () => {
  const lost = { data: false };
  it("is the most advanced replica of the primary region", () => {
    const others = [replica("a2", 800n), replica("a3", 900n), replica("l1", 950n, { region: "lhr" })];
    expect(decide(situation(lost, others))).toMatchObject({ change: { candidates: ["a3", "a2"] } });
  });
  it("is with synchronous replication one of those that hold every commit", () => {
    expect(decide(situation(lost, [replica("a2", 900n), replica("a3", 950n)], { holders: ["a2"] }))).toMatchObject({
      change: { candidates: ["a2"] },
    });
  });
  it("is nobody while one of those is out of sight: it may alone have what was acknowledged", () => {
    const others = [replica("a2"), replica("a3", 0n, dead)];
    expect(decide(situation(lost, others, { holders: ["a2", "a3"] }))).toMatchObject({ do: "stand" });
  });
  it.each([
    ["in another region", replica("l1", 900n, { region: "lhr" })],
    ["that does not answer", replica("a2", 900n, dead)],
    ["that a user stopped", replica("a2", 900n, { wanted: false })],
    ["that is still being made", replica("a2", 900n, { ready: false })],
    ["that is none: it was promoted by somebody else", replica("a2", 900n, { recovering: false })],
  ])("is no replica %s", (_title, other) => {
    expect(decide(situation(lost, [other]))).toMatchObject({ do: "stand" });
  });
});

describe("a change that was asked for", () => {
  const change = { kind: "switchover" as const, to: "a2", because: "it was asked for" };
  it("is done", () => {
    expect(decide(situation({}, [replica("a2")], { change }))).toMatchObject({
      do: "change",
      change: { kind: "switchover", from: "a1", candidates: ["a2"] },
    });
  });
  it("waits for a step that began before it", () => {
    expect(decide(situation({}, [replica("a2", 900n, { busy: true })], { change }))).toEqual({ do: "keep" });
  });
  it.each([
    ["is gone", []],
    ["is stopped", [replica("a2", 900n, { wanted: false })]],
    ["does not run", [replica("a2", 900n, dead)]],
  ])("is withdrawn when the member %s", (_title, others) => {
    expect(decide(situation({}, others, { change }))).toMatchObject({ do: "withdraw" });
  });
});
