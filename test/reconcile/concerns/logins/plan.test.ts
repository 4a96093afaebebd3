import { describe, expect, it } from "vitest";
import type { FormerLoginRecord, RotationRecord } from "../../../../src/model/records.ts";
import { plan } from "../../../../src/reconcile/plan.ts";
import type { Asked, LoginFacts } from "../../../../src/reconcile/concerns/logins/facts.ts";
import { loginConcern } from "../../../../src/reconcile/concerns/logins/logins.ts";
import { formerStill, isRotated, rotationKeys } from "../../../../src/reconcile/concerns/logins/plan.ts";
import { attachment, cluster, down, leading, member } from "../../world.ts";

const createdAt = "2026-11-25T11:00:00.000Z";
const until = "2026-11-25T12:00:00.000Z";
const rotation: RotationRecord = { cluster: "pg", user: "web", sealed: "AA==", login: "web.2", until, createdAt };
const former = (login: string, more: Partial<FormerLoginRecord> = {}): FormerLoginRecord => ({
  cluster: "pg",
  login,
  user: "web",
  until,
  createdAt,
  ...more,
});
const works = (login: string) => ({ login, until, ended: false });
const quiet: Asked = { states: [], unlike: [], inUse: () => false };
const none: LoginFacts = {
  rotations: [],
  formers: [],
  runs: new Set(),
  asked: quiet,
  at: Date.parse(until) - 1,
};

const seen = (facts: Partial<LoginFacts>, leader = leading) => ({
  ...cluster([member("a1", leader)]),
  found: new Map([["login", { ...none, ...facts }]]),
});
const planned = (facts: Partial<LoginFacts>, leader = leading) =>
  plan(seen(facts, leader), [loginConcern]).steps.filter((step) => step.do === "concern");
const step = (what: string, thing: string, logins: string[], user = "web") => ({
  do: "concern",
  concern: "login",
  what,
  thing,
  cluster: "pg",
  user,
  logins,
});

describe("the logins of a cluster", () => {
  it("give the new password that is asked for, and say which login has it", () => {
    expect(planned({ rotations: [rotation] })).toEqual([step("rotate", "web", ["web.2"])]);
    const { login: _own, ...alone } = rotation;
    expect(plan(seen({ rotations: [rotation, { ...alone, user: "a%2Fb" }] }), [loginConcern])).toEqual({
      sentence:
        "give a new password to user web of pg, which logs in as web.2 with it; give a new password to user a/b of pg.",
      steps: [step("rotate", "web", ["web.2"]), step("rotate", "a/b", ["a/b"], "a/b")],
    });
  });

  it("are left as they are without a leader, and rotated where PostgreSQL says nothing of the others", () => {
    expect(planned({ rotations: [rotation] }, down)).toEqual([]);
    expect(planned({ rotations: [rotation], formers: [former("web")], asked: undefined })).toEqual([
      step("rotate", "web", ["web.2"]),
    ]);
  });

  it("end at their time, one step a role, and are forgotten when no session uses them", () => {
    const formers = [former("web"), former("web.3"), former("api", { user: "api" }), former("web.4")];
    const states = [works("web"), works("web.3"), { ...works("web.4"), ended: true }, works("api")];
    expect(planned({ formers, at: Date.parse(until), asked: { ...quiet, states } })).toEqual([
      step("end", "web (former)", ["web", "web.3"]),
      step("end", "api (former)", ["api"], "api"),
      step("remove", "web (ended)", ["web.4"]),
    ]);
  });

  it("follow their role, but not on their way out", () => {
    const states = [works("web.3"), { ...works("web.4"), ended: true }];
    const unlike = ["web.2", "web.3", "web.4"].map((login) => ({ user: "web", login }));
    const formers = [former("web.3"), former("web.4")];
    expect(planned({ formers, asked: { states, unlike, inUse: () => true } })).toEqual([
      step("align", "web (former)", ["web.2", "web.3"]),
    ]);
  });

  it("take names as they are, whatever is in them", () => {
    const odd = "50%25 off";
    const unlike = [{ user: "50% off", login: "50% off.2" }];
    expect(planned({ asked: { ...quiet, unlike } })).toEqual([
      step("align", "50% off (former)", ["50% off.2"], "50% off"),
    ]);
    expect(planned({ formers: [former(encodeURIComponent(odd), { user: odd })] })).toEqual([
      step("remove", `${odd} (ended)`, [odd], odd),
    ]);
  });
});

describe("a rotation that is waited for", () => {
  it("is through when it is written down no longer, and what must end has ended", () => {
    const ended = { ...none, formers: [former("web")], at: Date.parse(until) };
    expect(isRotated(seen({ rotations: [rotation] }), "web")).toBe(false);
    expect(isRotated(seen({ ...ended, asked: { ...quiet, states: [works("web")] } }), "web")).toBe(false);
    expect(isRotated(seen({ ...ended, asked: { ...quiet, states: [{ ...works("web"), ended: true }] } }), "web")).toBe(
      true,
    );
    expect(isRotated(seen({ rotations: [{ ...rotation, user: "api" }] }), "web")).toBe(true);
  });

  it("is not known to be through where PostgreSQL was not asked", () => {
    expect(isRotated(seen({ asked: undefined }), "web")).toBeUndefined();
    expect(isRotated(cluster([member("a1", leading)]), "web")).toBeUndefined();
  });

  it("fails with the steps that give its password and end the ones before, and with no other", () => {
    expect(rotationKeys("web")).toEqual(["login web", "login web (former)"]);
  });
});

describe("ending a login", () => {
  const attachments = [attachment("ready", { login: "web.2" }).record];
  const all = { formers: [former("web"), former("web.2")], attachments, rotations: [] };

  it("is for former ones alone: none that an app's URL or a rotation has, which may have taken it meanwhile", () => {
    expect(formerStill("web", all)?.login).toBe("web");
    expect(formerStill("web.2", all)).toBeUndefined();
    expect(formerStill("web.3", all)).toBeUndefined();
    expect(formerStill("web", { ...all, rotations: [{ ...rotation, login: "web" }] })).toBeUndefined();
    const { login: _own, ...alone } = rotation;
    expect(formerStill("web", { ...all, rotations: [alone] })).toBeUndefined();
    const before = attachment("ready").record;
    expect(formerStill("web", { ...all, attachments: [before] })).toBeUndefined();
  });
});
