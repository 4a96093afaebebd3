/**
 * What one pass of a cluster's loop looks at: the wish (records), what was found (facts), and what the engine decided
 * on it, side by side. Pure data. The room knows one cluster: it looks at nothing by itself and changes nothing, and
 * knows neither the loop nor the API.
 */
import type { Choice, Situation, Verdict } from "./situation.ts";
import type { AttachmentRecord, ClusterRecord, MachineRecord } from "../model/records.ts";
import type { Fit } from "../postgres/replication/rewind.ts";
import type { Program } from "../postgres/instance/binaries.ts";
import type { Refusal } from "../postgres/sql/refusal.ts";
import type { Usage } from "../postgres/sql/probe.ts";

export interface MemberFacts {
  /** The data directory is there, whole. */
  data: boolean;
  /** A postmaster of this data directory lives. */
  running: boolean;
  /** Its processes are stopped by a signal. */
  suspended: boolean;
  /** It answers queries, or Perch's own login with an error. */
  answers: boolean;
  /** It answers Perch's own login with an error: a reason to put something right, and none to start it again. */
  refused?: Refusal;
  /** It runs and does not answer: what the socket or PostgreSQL said. */
  silence?: string;
  /** It runs, and its unix socket is gone: Perch reaches it by a connection that it had, or not at all. */
  unreachable?: true;
  /** pg_is_in_recovery(); undefined while it does not answer. */
  recovering: boolean | undefined;
  /** A replica whose WAL receiver streams. */
  streaming: boolean;
  /** Bytes of WAL since the beginning of time that it received or wrote; undefined while it does not answer. */
  received: bigint | undefined;
  /** A replica with WAL that the leader never had: it cannot follow as it is. */
  diverged: boolean;
  /** Bytes of WAL not replayed yet; null when nobody can tell. */
  lagBytes: number | null;
  /** Its files say what they should, and the server was told. */
  configured: boolean;
  /** How a member that follows another stands apart from it; undefined where it does not, or nobody can tell. */
  apart: Apart | undefined;
  /**
   * A replica that receives WAL and does not replay it: for want of these settings, in words, or because somebody
   * paused it.
   */
  paused: { short: string | undefined } | undefined;
  /** Of the server that runs, "15.18"; undefined while it does not answer. */
  version: string | undefined;
  /** A whole copy waits to be put in place. */
  copied: boolean;
  /** What it ran on before its copy is kept still. */
  former: boolean;
  /** Slots of Perch's on a replica: those of the time when it led. */
  ownSlots: readonly string[];
}

export interface Apart {
  /** Of one that does not run: whether its data can follow the leader. */
  fit: Fit | undefined;
  /** Of one that runs and does not stream: what its log says of it. */
  why: string | undefined;
  /** The segment it waits for is gone: it was told so by the leader, which does not have it. */
  walGone: boolean;
}

/** A step that failed: why, and when it may be tried again (milliseconds since the epoch). */
export interface Trouble {
  step: string;
  why: string;
  attempts: number;
  until: number;
}

export interface MemberView {
  record: MachineRecord;
  facts: MemberFacts;
  /** What of it runs out; undefined while it does not answer. */
  usage: Usage | undefined;
  /** The step under way, if any. */
  busy: string | undefined;
  trouble: Trouble | undefined;
  /** When it ended within the last minute without being told to, milliseconds since the epoch. */
  deaths: readonly number[];
  /**
   * Since when it is suspended, does not answer, or does not stream though it should, and when it was restarted or
   * rewound for that; undefined while it is not so. `apart`: not streaming while a step on it is under way, too.
   */
  since: Record<"suspended" | "silent" | "stranded" | "apart" | "reconnected" | "rewound", number | undefined>;
}

export interface AttachmentView {
  record: AttachmentRecord;
  busy: string | undefined;
  trouble: Trouble | undefined;
}

/** How something that a cluster has beside its members stands. */
export interface Progress {
  /** It is about to change, and no event tells of it: it is looked at again soon. */
  settling: boolean;
  /** Everything of it that should run does, or there is a reason why it does not. */
  back: boolean;
}

export interface ClusterView {
  cluster: ClusterRecord;
  /** The disk that holds all members has no room for WAL any more. */
  diskFull: boolean;
  /** Where the leader may live. */
  primaryRegion: string;
  /** The PostgreSQL in the cluster's directory, as its files are now. */
  program: Program | undefined;
  /** Numbers of the leader's tablespaces outside of its data directory: no replica may run beside them on this host. */
  tablespaces: readonly string[];
  members: readonly MemberView[];
  attachments: readonly AttachmentView[];
  /** Perch's replication slots on the leader; undefined while it cannot be asked. */
  slots: readonly string[] | undefined;
  /** Those of them whose WAL is gone, because their replica fell too far behind. */
  lostSlots: readonly string[];
  /** Concern → what it found. */
  found: ReadonlyMap<string, unknown>;
  /** Concern → why it could not be looked at this time. Nothing is planned for it, and for all others as ever. */
  unseen: ReadonlyMap<string, string>;
  /** How each of them stands, where it says. */
  progress: readonly Progress[];
  /** Whatever a step is under way on, or failed on. */
  things: ReadonlyMap<string, { busy: string | undefined; trouble: Trouble | undefined }>;
  /** A step on the cluster as a whole is under way, or failed. */
  busy: string | undefined;
  trouble: Trouble | undefined;
  /** What the engine decided on who leads, as of this look; and who may lead next. */
  verdict: Verdict;
  successors: Choice;
  /** Milliseconds since the epoch. */
  now: number;
}

export const leaderOf = (view: ClusterView): MemberView | undefined =>
  view.members.find((member) => member.record.id === view.cluster.leader);
export const replicasOf = (view: ClusterView): MemberView[] =>
  view.members.filter((member) => member.record.id !== view.cluster.leader);

/** The same as the engine looks at it. */
export function situationOf(view: Omit<ClusterView, "verdict" | "successors" | "progress">): Situation {
  const { cluster } = view;
  return {
    app: cluster.app,
    leader: cluster.leader,
    primaryRegion: view.primaryRegion,
    change: cluster.change,
    holders: cluster.synchronous?.holders,
    now: view.now,
    members: view.members.map(({ record, facts, ...member }) => ({
      id: record.id,
      region: record.region,
      wanted: record.wanted === "started",
      ready: record.phase === "ready",
      data: facts.data,
      running: facts.running,
      answers: facts.answers,
      recovering: facts.recovering,
      streaming: facts.streaming,
      received: facts.received,
      suspendedSince: member.since.suspended,
      silentSince: member.since.silent,
      ...(facts.silence === undefined ? {} : { silence: facts.silence }),
      // Where the disk is full, it is full for every member: another one would fare no better, and lose what it has not
      // received.
      // And a program that is gone is no crash: nothing was started.
      deaths: view.diskFull || view.program?.problem !== undefined ? [] : member.deaths,
      failures: member.trouble?.step === "start" && !view.diskFull ? member.trouble.attempts : 0,
      busy: member.busy !== undefined,
    })),
  };
}

/**
 * Whether the leader takes reads and writes, and what it writes is there to stay: only then does port 5432 lead to it.
 */
export const leads = (member: MemberView): boolean =>
  member.record.phase !== "destroying" &&
  member.facts.data &&
  member.facts.answers &&
  member.facts.recovering === false;

/** Why a cluster has no leader that takes writes, as far as that is known. */
export const whyNotLed = (leader: MemberView | undefined): string =>
  leader?.trouble?.why ??
  (leader?.record.wanted === "stopped" ? "it is stopped" : (leader?.facts.silence ?? "it does not answer"));

/**
 * There is no leader just now and soon will be: who comes now waits for it. Where nobody can say when, waiting would
 * only hide that.
 */
export function expectsLeader(view: ClusterView): boolean {
  if (view.cluster.phase !== "ready") return false;
  if (view.busy === "lead") return true;
  const leader = leaderOf(view);
  if (leader === undefined || leader.record.wanted === "stopped") return false;
  const { verdict } = view;
  return verdict.do === "start" || verdict.do === "keep" ? (leader.trouble?.attempts ?? 0) < 3 : verdict.do !== "stand";
}

/** Something is about to change of which no event tells: a server on its way to answering, a replica to streaming. */
export const unsettled = (view: ClusterView): boolean =>
  view.members.some(
    ({ record, facts }) => facts.running && (!facts.answers || (record.id !== view.cluster.leader && !facts.streaming)),
  ) || view.progress.some(({ settling }) => settling);

/** Everything that shall run does its part, or there is a reason why it does not. */
export function broughtBack(view: ClusterView): boolean {
  const leader = leaderOf(view);
  const led = leader !== undefined && leads(leader);
  return (
    view.progress.every(({ back }) => back) &&
    view.members.every((member) => {
      const { record, facts, trouble } = member;
      if (
        record.phase !== "ready" ||
        record.wanted === "stopped" ||
        trouble !== undefined ||
        facts.refused !== undefined
      )
        return true;
      if (view.tablespaces.length > 0 && member !== leader) return true;
      return member === leader ? led : led ? facts.streaming : facts.answers;
    })
  );
}

/** "the replica a2 in ams". */
export const titleOf = (view: ClusterView, { record }: MemberView): string =>
  `${record.id === view.cluster.leader ? "the leader" : "the replica"} ${record.id} in ${record.region}`;
