import { describe, expect, it } from "vitest";
import type { Context } from "../../../../src/cluster/context.ts";
import { fail } from "../../../../src/errors/error.ts";
import type { Exposure } from "../../../../src/model/exposure.ts";
import type { ClusterRecord } from "../../../../src/model/records.ts";
import { exposureConcern } from "../../../../src/reconcile/concerns/exposures/exposures.ts";
import { cluster, leading, member } from "../../world.ts";

const at = "2026-01-02T03:04:05.678Z";
const exposure = { listen: "203.0.113.7:5432", superusers: ["postgres"], createdAt: at } as unknown as Exposure;

/** A context with one record, whose ingress is what the test says. */
function contextOf(record: Partial<ClusterRecord>, ingress: { state: "open" | "closed" }) {
  const held = { record: { app: "pg", ...record } as ClusterRecord, said: [] as string[], published: 0 };
  const context = {
    state: {
      clusters: {
        update: (_of: unknown, change: (old: ClusterRecord) => ClusterRecord) =>
          Promise.resolve((held.record = change(held.record))),
      },
    },
    say: (_app: string, sentence: string) => void held.said.push(sentence),
    publish: () => Promise.resolve(void held.published++),
    ingress: {
      look: () => ingress.state,
      state: () => Promise.resolve({ ...ingress, error: fail("door_failed", { why: "the port is taken" }) }),
    },
  };
  return { held, context: context as unknown as Context };
}

describe("the public ingress of a cluster", () => {
  const certificates = new Map([["a1", { due: false, unreadSince: undefined }]]);
  const view = { ...cluster([member("a1", leading)]), found: new Map([["certificate", certificates]]) };
  const creating: Exposure = { ...exposure, phase: "creating" };
  const step = exposureConcern.plan(
    { ...view, cluster: { ...view.cluster, exposure: creating } },
    { ingress: "closed", superusers: ["postgres"] },
  )[0]?.step;
  if (step?.do !== "concern") throw new Error("nothing is planned");

  it("is open when its process says so, and not half made any more", async () => {
    const { held, context } = contextOf({ exposure: { ...creating, before: exposure } }, { state: "open" });
    await exposureConcern.apply(step, context, view);
    expect([held.record.exposure, held.published]).toEqual([exposure, 1]);
  });

  it("is as before when its process cannot open it: the one before, or none", async () => {
    const before = { ...exposure, listen: "203.0.113.7:6000" };
    for (const [wish, then] of [
      [{ ...creating, before }, before],
      [creating, undefined],
    ] as const) {
      const { held, context } = contextOf({ exposure: wish }, { state: "closed" });
      await expect(exposureConcern.apply(step, context, view)).rejects.toMatchObject({ code: "door_failed" });
      expect(await exposureConcern.undo(step, context, fail("door_failed", { why: "the port is taken" }))).toBe(true);
      expect(held.record.exposure).toEqual(then);
      expect(held.said).toHaveLength(1);
    }
  });

  it("leaves alone what was asked for meanwhile", async () => {
    const later = { ...creating, createdAt: "2026-01-02T03:04:06.000Z" };
    const { held, context } = contextOf({ exposure: later }, { state: "open" });
    await exposureConcern.apply(step, context, view);
    await exposureConcern.undo(step, context, fail("door_failed", { why: "the port is taken" }));
    expect(held.record.exposure).toEqual(later);
  });
});
