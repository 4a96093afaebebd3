import { within } from "../../../base/deadline.ts";
import { type Concern, concernOf, type ConcernStep } from "../../../cluster/concern.ts";
import { listSuperusers } from "../../../postgres/sql/roles.ts";

interface SuperuserStep extends ConcernStep {
  readonly concern: "superusers";
  readonly what: "refuse";
  readonly names: readonly string[];
}

/** So long the leader is waited for; else it is asked at the next look. Milliseconds. */
const patienceMs = 2_000;

/**
 * The superusers of a cluster with a public ingress: pg_hba.conf refuses each there by name. They are written down when
 * they change, so that a perchd that starts and cannot ask yet refuses them, too. Facts: their names; undefined where
 * nothing is public, or the leader does not say.
 */
const superusers: Concern<SuperuserStep, string[] | undefined> = {
  name: "superusers",
  observe: async (_context, cluster, leader) =>
    cluster.exposure === undefined || leader === undefined
      ? undefined
      : within(patienceMs, listSuperusers(leader)).catch(() => undefined), // asked again
  plan({ cluster }, names) {
    const noted = cluster.exposure?.superusers;
    if (noted === undefined || names === undefined || JSON.stringify(names) === JSON.stringify(noted)) return [];
    const because = `the public ingress refuses the superusers ${names.join(", ")}: there are others than before`;
    return [
      { step: { do: "concern", concern: "superusers", what: "refuse", thing: "of the cluster", names }, because },
    ];
  },
  async apply({ names }, { state }, { cluster }) {
    await state.clusters.update(cluster, (record) =>
      record.exposure === undefined ? record : { ...record, exposure: { ...record.exposure, superusers: [...names] } },
    );
  },
  undo: () => Promise.resolve(false),
};
export const superuserConcern = concernOf(superusers);
