import { describe, expect, it } from "vitest";
import { certificateConcern } from "../../../../src/reconcile/concerns/certificates/certificates.ts";
import { type Held, isServed } from "../../../../src/reconcile/concerns/certificates/plan.ts";
import { plan } from "../../../../src/reconcile/plan.ts";
import { cluster, down, leading, member, nothing, streaming } from "../../world.ts";

const good: Held = { due: false, unreadSince: undefined };
const due: Held = { due: true, unreadSince: undefined };
const { now } = cluster([]);
const unread: Held = { due: false, unreadSince: now - 3_000 };
const seen = (members: Parameters<typeof cluster>[0], held: Record<string, Held>) => ({
  ...cluster(members, { slots: members.slice(1).map(({ record }) => `perch_${record.id}`) }),
  found: new Map([["certificate", new Map(Object.entries(held))]]),
});
const planned = (...of: Parameters<typeof seen>) => plan(seen(...of), [certificateConcern]);

describe("the certificates that members serve", () => {
  it("are renewed when another one is due, beside what else is done", () => {
    const made = member("l1", nothing, { record: { phase: "creating" } });
    expect(planned([member("a1", leading), made], { a1: due }).sentence).toBe(
      "copy the leader to the replica l1 in lhr: it was asked for; certify the leader a1 in ams: another certificate is due.",
    );
    expect(planned([member("a1", leading), member("l1", streaming)], { a1: good, l1: due }).steps).toEqual([
      { do: "concern", concern: "certificate", what: "renew", thing: "l1", machine: "l1" },
    ]);
  });

  it("are read where a perchd that was killed had written them and told nobody, and settings with them", () => {
    expect(planned([member("a1", leading)], { a1: unread })).toEqual({
      sentence: "let the leader a1 in ams read its files: they are newer than what it has read.",
      steps: [{ do: "concern", concern: "certificate", what: "reload", thing: "a1", machine: "a1" }],
    });
    expect(planned([member("a1", leading)], { a1: { ...unread, due: true } }).steps).toMatchObject([{ what: "renew" }]);
    expect(planned([member("a1", leading)], { a1: { ...unread, unreadSince: now - 2_999 } }).steps).toEqual([]);
  });

  it("are left to the step that is under way on a member, and to its start", () => {
    expect(planned([member("a1", leading, { busy: "configure" })], { a1: due }).steps).toEqual([]);
    const stopped = member("l1", down, { record: { wanted: "stopped" } });
    expect(planned([member("a1", leading), stopped], { a1: good, l1: due }).steps).toEqual([]);
    expect(planned([member("a1", leading)], {}).steps).toEqual([]);
  });

  it("are served when they are written and read, and nothing is known of a member that was not looked at", () => {
    const one = member("a1", leading);
    const served = (held: Record<string, Held>) => isServed(seen([one], held), one);
    expect([good, due, unread].map((held) => served({ a1: held }))).toEqual([true, false, false]);
    expect(served({})).toBe(false);
    const busy = new Map([["certificate a1", { busy: "renew", trouble: undefined }]]);
    expect(isServed({ ...seen([one], { a1: good }), things: busy }, one)).toBe(false);
    const off = member("a1", down);
    expect(isServed(seen([off], {}), off), "one that does not run serves none").toBe(true);
  });
});
