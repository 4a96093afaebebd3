import { type ClusterView, replicasOf } from "../cluster/view.ts";
import { slotOf } from "../postgres/replication/replication.ts";
import type { Reason } from "./step.ts";

/** A slot for every replica there is and for none that is not: a removed member must not pin the leader's WAL. Pure. */
export function forSlots(view: ClusterView): Reason[] {
  if (view.slots === undefined) return [];
  const replicas = replicasOf(view);
  const kept = replicas
    .filter((replica) => replica.record.phase !== "destroying" || replica.facts.running)
    .map((replica) => slotOf(replica.record.id));
  const missing = kept.filter((slot) => view.slots?.includes(slot) === false);
  // Of one that is stopped it would be given up again, and again.
  const back = new Set(
    replicas.filter(({ record }) => record.wanted === "started").map(({ record }) => slotOf(record.id)),
  );
  const lost = view.lostSlots.filter((slot) => kept.includes(slot) && back.has(slot));
  const stale = view.slots.filter((slot) => !kept.includes(slot));
  const [create, drop] = [
    [...missing, ...lost],
    [...stale, ...lost],
  ];
  if (create.length + drop.length === 0) return [];
  const parts = [
    missing.length > 0 ? `make slot ${missing.join(", ")}: a replica will stream from it` : "",
    lost.length > 0
      ? `make slot ${lost.join(", ")} again: it was given up, and its replica may still find what it needs`
      : "",
    stale.length > 0 ? `drop slot ${stale.join(", ")}: its replica is gone` : "",
  ];
  return [{ step: { do: "slots", create, drop }, because: parts.filter((part) => part !== "").join("; ") }];
}
