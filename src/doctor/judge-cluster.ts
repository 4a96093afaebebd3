import type { Asked, ClusterFacts, Facts, Line, MemberFacts } from "./facts.ts";
import { loginOf } from "./facts.ts";
import { leaderIn, revival } from "./judge-way.ts";
import { levelOf } from "../capacity/thresholds.ts";

/** How the cluster is that the app is led to: leader, connections, disk, lag. Pure. */
export function leaderLine(facts: Facts, cluster: ClusterFacts): Line {
  const check = "leader";
  const leader = leaderIn(cluster);
  const next = revival(cluster, leader);
  const who = leader === undefined ? `${cluster.name} has no leader` : `the leader ${leader.id} in ${leader.region}`;
  if (next !== undefined) {
    const why = leader?.note === undefined ? "" : `: ${leader.note}`;
    return { check, state: "fail", sentence: leader === undefined ? who : `${who} is ${leader.state}${why}`, next };
  }
  if (leader?.note !== undefined)
    return {
      check,
      state: "warn",
      sentence: `${who} takes reads and writes: ${leader.note}`,
      next: `perch postgres status -a ${cluster.name}`,
    };
  const login = loginOf(facts);
  if (login === undefined || "state" in login) return { check, state: "ok", sentence: `${who} takes reads and writes` };
  if (login.recovering)
    return { check, state: "ok", sentence: "the URL leads to a replica: it reads, and a write fails with 25006" };
  if (login.readOnly)
    return {
      check,
      state: "warn",
      sentence: `the app meets ${who}, but may only read (default_transaction_read_only)`,
      next: `perch postgres connect -a ${cluster.name}`,
    };
  return { check, state: "ok", sentence: `the app meets ${who}, for reads and writes` };
}

export function connectionsLine(facts: Facts, { name }: ClusterFacts, { admission, target }: Asked): Line {
  const check = "connections";
  const { role, connections } = admission;
  if (role !== undefined && role.limit >= 0 && role.taken >= role.limit)
    return {
      check,
      state: "fail",
      sentence: `${target.user} has all ${role.limit} connections that its role may have (CONNECTION LIMIT)`,
      next: `perch postgres connect -a ${name}`,
    };
  const left = Math.max(0, connections.max - connections.taken);
  const count = `${left} of ${connections.max} are left${role === undefined ? "" : `; ${target.user} has ${role.taken}`}`;
  const next = `perch postgres config update -a ${name} --max-connections ${Math.max(100, connections.max * 2)} --restart`;
  const login = loginOf(facts);
  if (left > 0 && login !== undefined && "state" in login && login.state === "53300")
    return {
      check,
      state: "fail",
      sentence: `PostgreSQL takes no more: ${login.error}`,
      next: `perch postgres connect -a ${name}`,
    };
  const level = levelOf({ what: "connections", used: connections.taken, limit: connections.max }, false);
  return level === undefined ? { check, state: "ok", sentence: count } : { check, state: level, sentence: count, next };
}

const megabyte = 1024 * 1024;

export function diskLine({ disk, clusters }: Facts): Line {
  const check = "disk";
  const sentence = `${Math.floor(disk.freeBytes / megabyte)} MB of ${Math.floor(disk.bytes / megabyte)} MB are free under ${disk.path}`;
  const next = `perch postgres db list -a ${clusters[0] ?? "CLUSTER"}`;
  const level = levelOf({ what: "disk", used: disk.bytes - disk.freeBytes, limit: disk.bytes }, false);
  return level === undefined ? { check, state: "ok", sentence } : { check, state: level, sentence, next };
}

/** What runs out beside the disk and the connections that have a line of their own. */
export const warningLines = ({ warnings, disk, cluster }: Facts): Line[] =>
  warnings
    .filter(({ what, thing }) => {
      const leader = cluster?.admission === undefined ? undefined : leaderIn(cluster)?.id;
      return !(what === "disk" && thing === disk.path) && !(what === "connections" && thing === leader);
    })
    .map(({ what, level, sentence, next }) => ({ check: what, state: level, sentence, next }));

export function lagLine(cluster: ClusterFacts, { id, region, state, lagBytes, note }: MemberFacts): Line {
  const check = "lag";
  const who = `replica ${id} in ${region}`;
  if (state !== "streaming") {
    const sentence = `${who} is ${state === "started" ? "not streaming" : state === "paused" ? "not replaying" : state}${note === undefined ? "" : `: ${note}`}`;
    return {
      check,
      state: "warn",
      sentence,
      next: state === "stopped" ? `perch machine start ${id}` : `perch logs -a ${cluster.name}`,
    };
  }
  if (note !== undefined)
    return {
      check,
      state: "warn",
      sentence: `${who} streams: ${note}`,
      next: `perch postgres status -a ${cluster.name}`,
    };
  if (lagBytes === null)
    return { check, state: "ok", sentence: `${who} streams; how far behind it is, it has not said yet` };
  const behind = lagBytes < megabyte ? `${lagBytes} bytes` : `${Math.round(lagBytes / megabyte)} MB`;
  if (lagBytes > 64 * megabyte)
    return { check, state: "warn", sentence: `${who} is ${behind} behind`, next: `perch logs -a ${cluster.name}` };
  return { check, state: "ok", sentence: `${who} is ${behind} behind` };
}
