import { slotOf } from "../postgres/replication/replication.ts";
import { type ClusterView, leaderOf, leads, type MemberView } from "../cluster/view.ts";

/**
 * What is wrong with a member, in one sentence each: `perch status` and `perch doctor` show it for as long as it is so,
 * `perch events` has it once when it begins and once when it is over. Pure.
 */
export function noticeOf(view: ClusterView, member: MemberView): string | undefined {
  if (member.record.phase !== "ready" || member.record.wanted !== "started") return undefined;
  return (
    ofProgram(view, member) ??
    ofSocket(view, member) ??
    (member === leaderOf(view) ? undefined : ofReplica(view, member))
  );
}

/** The files of PostgreSQL, under a server that runs or for one that should. */
function ofProgram({ cluster, program }: ClusterView, { facts }: MemberView): string | undefined {
  if (program?.problem !== undefined) {
    const now = facts.running
      ? "it runs on and could not be started again"
      : "it cannot be started, and its data stays as it is";
    return `${now}: ${program.problem}; put it there again, or: perch postgres config binaries DIR -a ${cluster.app}`;
  }
  if (facts.version === undefined || program?.version === undefined || facts.version === program.version)
    return undefined;
  return `it runs ${facts.version}, and the files in ${cluster.binaries} are ${program.version}: new sessions may fail; perch postgres restart -a ${cluster.app}`;
}

const ofSocket = ({ cluster }: ClusterView, { facts }: MemberView): string | undefined =>
  facts.unreachable === true
    ? `its unix socket was removed: apps are served, and Perch's own commands cannot reach it; perch postgres restart -a ${cluster.app}`
    : undefined;

function ofReplica(view: ClusterView, member: MemberView): string | undefined {
  if (view.tablespaces.length > 0) return ofTablespaces(view);
  const { record, facts, since } = member;
  const { apart } = facts;
  if (apart?.fit?.fit === "unfit")
    return `it cannot follow the leader, ${apart.fit.because}; its data stays until a new copy streams${turn(view, member)}`;
  if (apart?.fit?.fit === "parted") return "it has WAL that the leader never had; it is rewound, or copied again";
  if (apart?.walGone === true)
    return `the WAL it needs is gone, on the leader, too; it is copied again, and its data stays until the copy streams${turn(view, member)}`;
  if (facts.diverged) return "it has WAL that the leader never had; it is rewound, or copied again";
  if (facts.paused?.short !== undefined)
    return `its replay is paused, for ${facts.paused.short}; it is restarted with as much`;
  if (facts.paused !== undefined)
    return `it receives WAL and does not replay it: somebody called pg_wal_replay_pause(); it goes on with SELECT pg_wal_replay_resume() on ${record.address}:5433`;
  const leader = leaderOf(view);
  if (leader === undefined || !leads(leader) || facts.streaming || !facts.answers || facts.recovering !== true)
    return undefined;
  const kept = facts.former ? "; its former data is kept until it streams" : "";
  if (apart?.why !== undefined) return `it does not stream from the leader: ${apart.why}${kept}`;
  if (view.lostSlots.includes(slotOf(record.id)))
    return `it does not stream: its slot on the leader was given up, and is made again${kept}`;
  return since.stranded === undefined
    ? undefined
    : `it does not stream from the leader, and its log does not say why${kept}`;
}

const ofTablespaces = ({ tablespaces, cluster }: ClusterView): string =>
  `it is kept stopped: tablespace ${tablespaces.join(", ")} lies outside of the data directory, where it and the leader would write the same files; move what is in it back (ALTER TABLE … SET TABLESPACE pg_default) and drop it: perch postgres connect -a ${cluster.app}`;

/** One replica at a time. */
function turn(view: ClusterView, member: MemberView): string {
  const first = view.members.find(
    (other) =>
      other !== member && (other.facts.copied || other.facts.former || (other.busy === "copy" && other.facts.data)),
  );
  return first === undefined ? "" : `, when ${first.record.id} has its own`;
}

/**
 * What is said in events: begun or over since `said`, which is kept for the next look. What comes and goes at once is
 * not worth a word.
 */
export function newNotices(view: ClusterView, said: Map<string, string>): string[] {
  const ofMembers = view.members.flatMap((member) => {
    const { id, region } = member.record;
    const who = `${member === leaderOf(view) ? "leader" : "replica"} ${id} in ${region}`;
    const notice = lasts(view, member) ? noticeOf(view, member) : undefined;
    const before = said.get(id);
    if (notice === undefined) {
      if (before === undefined || noticeOf(view, member) !== undefined || !isWell(view, member)) return [];
      said.delete(id);
      return [`${who} is well again`];
    }
    if (before !== undefined && alike(before, notice)) return [];
    said.set(id, notice);
    return [`${who}: ${notice}`];
  });
  return [...ofMembers, ...ofUnseen(view, said)];
}

/** Concerns are told from members by their names. */
function ofUnseen({ unseen, found }: ClusterView, said: Map<string, string>): string[] {
  const begun = [...unseen].filter(([name, why]) => !alike(said.get(name) ?? "", why));
  const over = [...said.keys()].filter((name) => found.has(name));
  for (const [name, why] of begun) said.set(name, why);
  for (const name of over) said.delete(name);
  return [
    ...begun.map(([name, why]) => `what is there of ${plural(name)} cannot be looked at, and stays as it is: ${why}`),
    ...over.map((name) => `what is there of ${plural(name)} can be looked at again`),
  ];
}

const plural = (name: string): string => (name.endsWith("s") ? name : `${name}s`);

const lastsMs = 5_000;
/** What has nothing to do with streaming is so from the first moment. */
const lasts = (view: ClusterView, member: MemberView): boolean =>
  ofProgram(view, member) !== undefined ||
  ofSocket(view, member) !== undefined ||
  (view.tablespaces.length > 0 && member !== leaderOf(view)) ||
  member.facts.paused !== undefined ||
  (member.since.stranded !== undefined && view.now - member.since.stranded >= lastsMs);
const isWell = (view: ClusterView, member: MemberView): boolean =>
  member.facts.streaming || (member === leaderOf(view) && leads(member));

/** Numbers in it change from one attempt to the next: a position, a process, a port. */
const alike = (a: string, b: string): boolean => bare(a) === bare(b);
const bare = (text: string): string => text.replace(/[0-9A-F]*[0-9][0-9A-F/]*/g, "#");
