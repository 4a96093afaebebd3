import { within } from "../../../base/deadline.ts";
import { type Concern, concernOf } from "../../../cluster/concern.ts";
import type { Context } from "../../../cluster/context.ts";
import { listSuperusers } from "../../../postgres/sql/roles.ts";
import { type ExposureFacts, type ExposureStep, forExposure, withoutHalfMade } from "./plan.ts";

/** So long the leader is waited for; else it is asked at the next look. Milliseconds. */
const patienceMs = 2_000;

/**
 * The public ingress of a cluster. Its process is kept by the room `ingress/`, and led to whoever leads by `routing/`;
 * here a wish becomes true, or is taken back, and the superusers are written down whom pg_hba.conf refuses there by
 * name, so that a perchd that starts and cannot ask yet refuses them, too.
 */
const exposures: Concern<ExposureStep, ExposureFacts> = {
  name: "exposures",
  observe: async ({ ingress }, { app, exposure }, leader) => ({
    ingress: ingress.look(app),
    superusers:
      exposure === undefined || leader === undefined
        ? undefined
        : await within(patienceMs, listSuperusers(leader)).catch(() => undefined), // asked again
  }),
  plan: forExposure,
  async apply(step, context, { cluster }) {
    const { state } = context;
    if (step.what === "refuse") {
      await state.clusters.update(cluster, (record) =>
        record.exposure === undefined
          ? record
          : { ...record, exposure: { ...record.exposure, superusers: [...step.names] } },
      );
      return;
    }
    await context.publish();
    const now = await context.ingress.state(cluster.app);
    if (step.what === "shut") return;
    if (now.state === "closed") throw now.error;
    await state.clusters.update(cluster, (record) => {
      if (record.exposure?.createdAt !== step.createdAt) return record;
      const { phase: _creating, before: _former, ...exposure } = record.exposure;
      return { ...record, exposure };
    });
  },
  async undo(step, { state, say }: Context, why) {
    if (step.what !== "open") return false;
    const { app } = step;
    await state.clusters.update({ app }, (record) => withoutHalfMade(record, step.createdAt));
    say(app, `opening the public door of ${app} failed: ${why.message}; it is as it was before`);
    return true;
  },
};
export const exposureConcern = concernOf(exposures);
