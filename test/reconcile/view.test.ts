import { expect, it } from "vitest";
import { unsettled } from "../../src/reconcile/view.ts";
import { cluster, down, leading, member, streaming } from "./world.ts";

it.each([
  ["a leader that answers and a replica that streams", [member("a1", leading), member("l1", streaming)], false],
  ["a member that is stopped", [member("a1", leading), member("l1", down, { record: { wanted: "stopped" } })], false],
  ["a server that runs and does not answer yet", [member("a1", { ...leading, answers: false, recovering: undefined })], true],
  ["a replica that answers and does not stream yet", [member("a1", leading), member("l1", { ...streaming, streaming: false })], true],
])("%s: is looked at again before the tick, or not", (_what, members, expected) => {
  expect(unsettled(cluster(members))).toBe(expected);
});
