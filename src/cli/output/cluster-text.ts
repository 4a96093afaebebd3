import type { Cluster, Member, Status } from "../../api/schemas.ts";
import { size } from "../../base/size.ts";
import { moment, table } from "./columns.ts";

/** Clusters and their members for people. Pure. */

/** One word for how a cluster is: what its members say together. */
export function clusterState({ phase, members }: Pick<Cluster, "phase" | "members">): string {
  if (phase !== "ready") return phase;
  const leader = members.find((member) => member.role === "leader");
  if (leader?.state !== "started") return leader === undefined ? "no leader" : `leader ${leader.state}`;
  const lost = members.filter((member) => member.role === "replica" && member.state !== "streaming");
  const paused = lost.filter(({ state }) => state === "paused").length;
  if (paused > 0 && paused === lost.length) return `${paused} of ${members.length - 1} replicas not replaying`;
  return lost.length === 0 ? "ready" : `${lost.length} of ${members.length - 1} replicas not streaming`;
}

const lag = ({ role, lagBytes }: Member): string =>
  role === "leader" ? "-" : lagBytes === null ? "unknown" : size(lagBytes);

export function membersText(members: readonly Member[], indent: number): string {
  const rows = members.map((member) => [
    member.id,
    member.region,
    member.role,
    member.state,
    member.address,
    String(member.port),
    lag(member),
  ]);
  const notes = members.flatMap(({ id, note }) => (note === undefined ? [] : [`${" ".repeat(indent)}${id}: ${note}`]));
  return [
    table(["ID", "Region", "Role", "State", "Address", "Port", "Lag"], rows, "No members", { indent }),
    ...notes,
  ].join("\n");
}

const commits = {
  on: "synchronous: a commit is acknowledged when a replica has it, too; by the leader alone when none streams for 2 to 5 s",
  waiting: "synchronous, but no replica of its region streams: commits are acknowledged by the leader alone",
};

export function clusterText(cluster: Cluster): string {
  const attached = cluster.attachments.map(({ app, database, user, variable, connectionLimit }) => [
    app,
    database,
    user,
    variable,
    connectionLimit === null ? "any number" : String(connectionLimit),
  ]);
  return [
    `Cluster ${cluster.name}: ${clusterState(cluster)}; PostgreSQL ${cluster.version}, primary region ${cluster.primaryRegion}, ${cluster.host}:${cluster.port}`,
    ...(cluster.pool === null
      ? []
      : [
          `  pooler on port ${cluster.pool.port} of every member: ${cluster.pool.mode} mode, ${cluster.pool.size} connections${cluster.pool.note === null ? "" : `; ${cluster.pool.note}`}`,
        ]),
    ...(cluster.synchronous === "off" ? [] : [`  ${commits[cluster.synchronous]}`]),
    membersText(cluster.members, 2),
    ...(attached.length === 0
      ? []
      : [table(["App", "Database", "User", "Variable", "Connections"], attached, "", { indent: 2 })]),
  ].join("\n");
}

const modes = {
  root: "in a network namespace",
  user: "in a user namespace",
  portable: "portable mode: ports on 127.0.0.1",
};

/** What runs out, and the command that fixes it. */
const warningsText = (warnings: Status["warnings"]): string[] =>
  warnings.length === 0
    ? []
    : ["", "Warnings", ...warnings.map(({ sentence, next }) => `  ${sentence}\n    → ${next}`)];

export function statusText(
  { network, daemon, clusters, apps, warnings }: Status,
  noClusters = "No clusters yet. Create one with: perch postgres create --name pg --region ams",
): string {
  const prefix = network.mode === "portable" ? "" : ` ${network.prefix},`;
  return [
    `Network ${network.name}:${prefix} ${modes[network.mode]}`,
    `perchd ${daemon.pid}: version ${daemon.version}, since ${moment(daemon.since)} UTC, state in ${daemon.home}`,
    `perchd: ${size(daemon.memoryBytes)} resident, event loop delayed by at most ${Math.round(daemon.loopDelay.max)} ms in the last two minutes`,
    "",
    ...(clusters.length === 0 ? [noClusters] : clusters.map(clusterText)),
    ...(apps.length === 0
      ? []
      : [
          "",
          table(
            ["App", "Runs"],
            apps.map(({ name, runs }) => [name, String(runs)]),
            "",
          ),
        ]),
    ...warningsText(warnings),
  ].join("\n");
}
