import { concernKey, type ConcernStep, type Due } from "../../../cluster/concern.ts";
import type { ClusterView } from "../../../cluster/view.ts";
import type { IngressWay } from "../../../cluster/ways.ts";
import type { ClusterRecord } from "../../../model/records.ts";
import { isServed } from "../certificates/plan.ts";

interface OfExposure extends ConcernStep {
  readonly concern: "exposures";
}
export type ExposureStep =
  | (OfExposure & { what: "refuse"; names: readonly string[] })
  | (OfExposure & { what: "open"; app: string; createdAt: string })
  | (OfExposure & { what: "shut" });

export interface ExposureFacts {
  ingress: ReturnType<IngressWay["look"]>;
  /** Of a cluster with a public ingress; undefined while the leader does not say. */
  superusers: readonly string[] | undefined;
}

const thing = "of the public ingress";
/** As the loop remembers it. */
export const exposureKey = concernKey("exposures", thing);

/** Undefined before it was looked at. */
export const exposureIn = (view: ClusterView): ExposureFacts | undefined =>
  view.found.get("exposures") as ExposureFacts | undefined;

/** Pure. One that was just asked for is open when every server knows its rules and its certificate, not before. */
export function forExposure(view: ClusterView, facts: ExposureFacts | undefined): Due<ExposureStep>[] {
  const { app, exposure } = view.cluster;
  const of = { do: "concern", concern: "exposures", thing } as const;
  if (facts === undefined) return [];
  if (exposure === undefined) {
    if (facts.ingress === "closed") return [];
    return [{ step: { ...of, what: "shut" }, because: `shut the public door of ${app}: it is not wanted any more` }];
  }
  const { superusers: names } = facts;
  if (names !== undefined && JSON.stringify(names) !== JSON.stringify(exposure.superusers)) {
    const why = exposure.superusers === undefined ? "they are there" : "there are others than before";
    return [
      {
        step: { ...of, what: "refuse", names },
        because: `the public ingress refuses the superusers ${names.join(", ")}: ${why}`,
      },
    ];
  }
  if (exposure.phase !== "creating" || exposure.superusers === undefined || !isSet(view)) return [];
  return [
    {
      step: { ...of, what: "open", app, createdAt: exposure.createdAt },
      because: `open the public door of ${app} at ${exposure.listen}: it was asked for`,
    },
  ];
}

/** Every server that runs has its lines of pg_hba.conf and its certificate. */
export const isSet = (view: ClusterView): boolean =>
  view.members.every(
    (member) =>
      !member.facts.running || (member.facts.configured && isServed(view, member) && member.busy === undefined),
  );

/** What was asked for at that time and has not come true is taken back; the one before it is wanted again. Pure. */
export function withoutHalfMade(record: ClusterRecord, createdAt: string): ClusterRecord {
  const { exposure, ...rest } = record;
  if (exposure?.createdAt !== createdAt || exposure.phase !== "creating") return record;
  return exposure.before === undefined ? rest : { ...rest, exposure: exposure.before };
}
