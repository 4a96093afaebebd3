import { leaderPort, memberPort } from "../model/ports.ts";
import type { DoorWish } from "../ingress/supervisor.ts";
import type { Target } from "../ingress/settings.ts";
import { type ClusterView, leaderOf, leads, type MemberView, replicasOf } from "../cluster/view.ts";

/** The public doors there should be, from what the loops see. Pure. */
export function doorsOf(views: readonly ClusterView[], portable: boolean): Map<string, DoorWish> {
  return new Map(
    views.flatMap((view): [string, DoorWish][] => {
      const { exposure, app, phase } = view.cluster;
      if (exposure === undefined || phase === "destroying") return [];
      const { listen, replicaListen, allow, limits } = exposure;
      const listens = replicaListen === undefined ? [listen] : [listen, replicaListen];
      return [
        [
          app,
          { listens, wish: { leader: toLeader(view, portable), replicas: toReplicas(view, portable), allow, limits } },
        ],
      ];
    }),
  );
}

/**
 * 5432 of any member is the leader, whoever that is by then: the map in the kernel knows, even while perchd does not
 * run.
 */
function toLeader(view: ClusterView, portable: boolean): Target[] {
  const leader = leaderOf(view);
  if (portable) return leader !== undefined && leads(leader) ? [own(leader, true)] : [];
  return [...(leader === undefined ? [] : [leader]), ...replicasOf(view)]
    .filter(({ record }) => record.phase === "ready")
    .map(({ record }) => ({ host: record.address, port: leaderPort }));
}

const toReplicas = (view: ClusterView, portable: boolean): Target[] =>
  replicasOf(view)
    .filter(({ record, facts }) => record.phase === "ready" && facts.answers && facts.streaming)
    .map((member) => own(member, portable));

const own = ({ record }: MemberView, portable: boolean): Target =>
  portable
    ? { host: "127.0.0.1", port: record.portablePort ?? memberPort }
    : { host: record.address, port: memberPort };
