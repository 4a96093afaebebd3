import { expect, it } from "vitest";
import { broughtBack, unsettled, whyNotLed } from "../../src/cluster/view.ts";
import { cluster, down, leading, member, streaming } from "../reconcile/world.ts";

it.each([
  ["a leader that answers and a replica that streams", [member("a1", leading), member("l1", streaming)], false],
  ["a member that is stopped", [member("a1", leading), member("l1", down, { record: { wanted: "stopped" } })], false],
  [
    "a server that runs and does not answer yet",
    [member("a1", { ...leading, answers: false, recovering: undefined })],
    true,
  ],
  [
    "a replica that answers and does not stream yet",
    [member("a1", leading), member("l1", { ...streaming, streaming: false })],
    true,
  ],
])("%s: is looked at again before the tick, or not", (_what, members, expected) => {
  expect(unsettled(cluster(members))).toBe(expected);
});

const broken = { step: "start", why: "its disk is full", attempts: 1, until: 0 };
it.each([
  ["a leader that answers and a replica that streams", [member("a1", leading), member("l1", streaming)], true],
  ["a leader that does not run yet", [member("a1", down), member("l1", streaming)], false],
  [
    "a replica that answers and does not stream yet",
    [member("a1", leading), member("l1", { ...streaming, streaming: false })],
    false,
  ],
  [
    "a replica that nobody feeds",
    [member("a1", down, { trouble: broken }), member("l1", { ...streaming, streaming: false })],
    true,
  ],
  [
    "members that are stopped, broken or half made",
    [
      member("a1", down, { record: { wanted: "stopped" } }),
      member("a2", down, { trouble: broken }),
      member("a3", down, { record: { phase: "destroying" } }),
    ],
    true,
  ],
])("%s: perch up waits for it, or not", (_what, members, expected) => {
  expect(broughtBack(cluster(members))).toBe(expected);
});

it.each([
  ["a step on it failed", member("a1", down, { trouble: broken }), "its disk is full"],
  ["it was stopped", member("a1", down, { record: { wanted: "stopped" } }), "it is stopped"],
  [
    "its socket says why",
    member("a1", { ...leading, answers: false, silence: "connect ENOENT /run/s" }),
    "connect ENOENT /run/s",
  ],
  ["nothing is known", member("a1", { ...leading, answers: false }), "it does not answer"],
  ["there is none", undefined, "it does not answer"],
])("a leader that does not lead has a reason: %s", (_what, leader, why) => {
  expect(whyNotLed(leader)).toBe(why);
});
