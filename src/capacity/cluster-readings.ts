import { percent, size } from "../base/size.ts";
import type { Slot } from "../postgres/sql/probe.ts";
import type { ClusterFacts, Reading, ServerFacts } from "./facts.ts";

/**
 * What runs out in a cluster: connections, the WAL that slots keep back, slots themselves, transaction numbers. Pure.
 */
export const clusterReadings = (cluster: ClusterFacts): Reading[] =>
  cluster.servers.flatMap((server) => [
    connections(cluster, server),
    ...server.usage.slots.each.map((slot) => keptBack(cluster, server, slot)),
    slots(cluster, server),
    // Replicas have their leader's.
    ...(server.leads ? [wraparound(cluster, server)] : []),
  ]);

function connections({ name }: ClusterFacts, { machine, leads, usage }: ServerFacts): Reading {
  const { max, used, most } = usage.connections;
  const where = leads ? name : `replica ${machine} of ${name}`;
  const by = most === null ? "" : `, ${most.used} of them by ${most.user}`;
  return {
    what: "connections",
    subject: name,
    thing: machine,
    used,
    limit: max,
    sentence: `${used} of ${max} connections of ${where} are used (${percent(used, max)})${by}`,
    next: `perch postgres config update -a ${name} --max-connections ${Math.max(100, max * 2)} --restart`,
  };
}

/** Where PostgreSQL sets none it is the disk that ends it. */
const withoutLimit = 16 * 1024 ** 3;

function keptBack(cluster: ClusterFacts, { usage }: ServerFacts, slot: Slot): Reading {
  const { keepBytes } = usage.slots;
  const limit = keepBytes ?? withoutLimit;
  const lost = slot.state === "lost";
  return {
    what: slot.active || lost ? "kept-wal" : "idle-slot",
    subject: cluster.name,
    thing: slot.name,
    used: lost ? limit : Math.max(0, slot.keptBytes ?? 0),
    limit,
    sentence: keptText(cluster.name, slot, keepBytes),
    next: slotMend(cluster, slot),
  };
}

function keptText(app: string, { name, active, state, keptBytes }: Slot, keepBytes: number | null): string {
  const which = `replication slot ${name} of ${app}`;
  if (state === "lost") return `${which} is lost: the WAL it kept back had to be given up`;
  const end = keepBytes === null ? ", and nothing ends that but the disk" : `; at ${size(keepBytes)} it is given up`;
  const kept = `keeps ${size(Math.max(0, keptBytes ?? 0))} of WAL back${end}`;
  return active ? `${which} ${kept}` : `nothing reads from ${which}, which ${kept}`;
}

function slotMend({ name: app, owners }: ClusterFacts, { name, active }: Slot): string {
  const owner = owners.get(name);
  if (owner !== undefined) return owner.stopped ? `perch machine start ${owner.machine}` : `perch logs -a ${app}`;
  const sql = active ? "SELECT * FROM pg_stat_replication" : `SELECT pg_drop_replication_slot('${name}')`;
  return `perch postgres connect -a ${app} --command "${sql}"`;
}

function slots({ name }: ClusterFacts, { machine, usage }: ServerFacts): Reading {
  const { each, max } = usage.slots;
  return {
    what: "slots",
    subject: name,
    thing: machine,
    used: each.length,
    limit: max,
    sentence: `${each.length} of ${max} replication slots of ${name} are taken`,
    next: `perch postgres config update -a ${name} --max-replication-slots ${max * 2} --max-wal-senders ${max * 2} --restart`,
  };
}

const transactions = 2 ** 31;

function wraparound({ name }: ClusterFacts, { usage }: ServerFacts): Reading {
  const { database, age } = usage.oldest;
  return {
    what: "wraparound",
    subject: name,
    thing: database,
    used: age,
    limit: transactions,
    sentence: `database ${database} of ${name} has used ${Math.floor(age / 1e6)} of ${Math.floor(transactions / 1e6)} million transactions since it was last vacuumed`,
    next: `perch postgres connect -a ${name} -d ${database} --command "VACUUM (FREEZE)"`,
  };
}
