/** Records and views as the API shows them. Pure. */
import { clusterHost } from "../../model/attachment-url.ts";
import { leaderPort, memberPort } from "../../model/ports.ts";
import type * as api from "../../api/schemas.ts";
import { portableHost } from "../../model/address.ts";
import type { AttachmentRecord, MachineRecord, Pool } from "../../model/records.ts";
import { mayPrepare } from "../../model/pool.ts";
import { crashLoop } from "../../cluster/situation.ts";
import { noticeOf } from "../../reconcile/notices.ts";
import { type ClusterView, type MemberView } from "../../cluster/view.ts";
import { poolShape } from "./pool.ts";

type Mode = "root" | "user" | "portable";

export function clusterShape(
  view: ClusterView,
  mode: Mode,
  more: { version: string; primaryRegion: string },
): api.Cluster {
  const { cluster } = view;
  return {
    name: cluster.app,
    version: more.version,
    primaryRegion: more.primaryRegion,
    phase: cluster.phase,
    host: mode === "portable" ? portableHost : clusterHost(cluster.app),
    port: mode === "portable" ? (cluster.portablePort ?? leaderPort) : leaderPort,
    pool: cluster.pool === undefined ? null : poolShape(view, cluster.pool),
    synchronous: cluster.synchronous === undefined ? "off" : cluster.synchronous.holders.length > 0 ? "on" : "waiting",
    members: leaderFirst(view).map((member) => memberShape(view, member, mode)),
    attachments: view.attachments
      .filter(({ record }) => record.phase === "ready")
      .map(({ record }) => ({
        app: record.app,
        database: record.database,
        user: record.user,
        variable: record.variable,
        connectionLimit: limitShape(record),
      })),
  };
}

const leaderFirst = ({ cluster, members }: ClusterView): MemberView[] =>
  members.toSorted(
    (a, b) =>
      Number(b.record.id === cluster.leader) - Number(a.record.id === cluster.leader) ||
      a.record.number - b.record.number,
  );

const roleOf = (view: ClusterView, member: MemberView): "leader" | "replica" =>
  member.record.id === view.cluster.leader ? "leader" : "replica";

export function memberShape(view: ClusterView, member: MemberView, mode: Mode): api.Member {
  const { record, facts } = member;
  const role = roleOf(view, member);
  const note = noteOf(view, member);
  return {
    id: record.id,
    region: record.region,
    role,
    address: mode === "portable" ? portableHost : record.address,
    port: mode === "portable" ? (record.portablePort ?? memberPort) : memberPort,
    state: stateOf(view, member),
    pid: facts.running ? (record.process?.pid ?? null) : null,
    lagBytes: role === "leader" ? (facts.answers ? 0 : null) : facts.lagBytes,
    ...(note === undefined ? {} : { note }),
  };
}

export function stateOf(view: ClusterView, member: MemberView): api.Member["state"] {
  const { record, facts, busy, trouble } = member;
  if (record.phase === "destroying" || view.cluster.phase === "destroying") return "destroying";
  if (record.phase === "creating") return "creating";
  if (busy === "stop") return "stopping";
  const kept = view.tablespaces.length > 0 && record.id !== view.cluster.leader;
  if (!facts.running && record.wanted === "started" && kept) return "failed";
  if (!facts.running)
    return record.wanted === "stopped" ? "stopped" : trouble === undefined && facts.data ? "starting" : "failed";
  if (!facts.answers) return "starting";
  if (facts.paused !== undefined) return "paused";
  return facts.streaming ? "streaming" : "started";
}

function noteOf(view: ClusterView, member: MemberView): string | undefined {
  const { record, facts, trouble, since } = member;
  if (record.id === view.cluster.leader) {
    if (view.verdict.do === "stand") return view.verdict.because;
  }
  if (since.suspended !== undefined) return "a signal stopped it; it goes on within seconds";
  if (trouble !== undefined)
    return `${trouble.why} (attempt ${trouble.attempts}; next in ${Math.max(0, Math.round((trouble.until - view.now) / 1000))} s)${advice(trouble.why) || settingsAdvice(view, trouble.why)}`;
  if (facts.refused !== undefined) return `it runs, and refuses Perch's own login: ${facts.refused.why}`;
  if (!facts.data && record.phase === "ready")
    return "its data directory is gone; it is copied again as soon as the leader answers";
  if (!facts.running && member.deaths.length >= crashLoop)
    return `it died ${member.deaths.length} times within a minute and is started ever more slowly; look at: perch logs -a ${record.app}`;
  return noticeOf(view, member) ?? (record.id === view.cluster.leader ? unseenNote(view) : undefined);
}

function unseenNote({ unseen }: ClusterView): string | undefined {
  const [first] = unseen;
  return first === undefined ? undefined : `what is there of its ${first[0]} cannot be looked at: ${first[1]}`;
}

/** One that was changed may be why; it can be changed without a leader. */
const settingsAdvice = ({ cluster }: ClusterView, why: string): string =>
  !why.includes(" did not start: ") || Object.keys(cluster.settings).length === 0
    ? ""
    : `; if a changed setting is why: perch postgres config update -a ${cluster.app} --unset NAME`;

/** What a person can do about it, where Perch can only try again. */
function advice(why: string): string {
  if (/No space left on device|the disk under .* is full/.test(why)) return "; make room, and it goes on by itself";
  if (/Address already in use|could not bind/.test(why))
    return "; another program listens there: end it, and it goes on by itself";
  if (/there is no postgres in|postgres in .* does not/.test(why))
    return "; put it there again, or name another directory of the same major: perch postgres config binaries DIR";
  if (/Permission denied/.test(why)) return "; give its files back to the user PostgreSQL runs as";
  return "";
}

export function machineShape(view: ClusterView, member: MemberView): api.Machine {
  const { record } = member;
  return {
    id: record.id,
    app: record.app,
    kind: "postgres",
    region: record.region,
    address: record.address,
    state: stateOf(view, member),
    role: roleOf(view, member),
    createdAt: record.createdAt,
  };
}

export const runShape = (record: MachineRecord): api.Machine => ({
  id: record.id,
  app: record.app,
  kind: "run",
  region: record.region,
  address: record.address,
  state: "started",
  role: null,
  createdAt: record.createdAt,
});

/** A superuser has none. */
const limitShape = ({ connectionLimit = -1, superuser }: AttachmentRecord): number | null =>
  superuser || connectionLimit < 0 ? null : connectionLimit;

export function attachmentShape(
  record: AttachmentRecord,
  { host, port, pool }: { host: string; port: number; pool?: Pool | undefined },
  isNew: boolean,
): api.Attachment {
  return {
    app: record.app,
    cluster: record.cluster,
    database: record.database,
    user: record.user,
    variable: record.variable,
    superuser: record.superuser,
    connectionLimit: limitShape(record),
    url: `${record.scheme}://${encodeURIComponent(record.login ?? record.user)}:***@${host}:${port}/${encodeURIComponent(record.database)}`,
    preparedStatements: record.pooled !== true || pool === undefined || mayPrepare(pool),
    new: isNew,
  };
}
