import type { ConcernStep, Due, MemberRestart } from "../../../cluster/concern.ts";
import { type ClusterView, leaderOf, type MemberView, titleOf } from "../../../cluster/view.ts";
import type { Restarting } from "../../../model/records.ts";

export const restartConcern = "restart";
/** All of its own steps are on the members as a whole. */
export const restartThing = "of the members";

export interface RestartStep extends ConcernStep {
  readonly concern: typeof restartConcern;
  /**
   * What runs is written down; a member takes over from the leader, where nothing is lost by that; some are restarted
   * once more; it is over.
   */
  readonly what: "begin" | "hand-over" | "again" | "finish";
  /** To whom it is handed over; who is restarted once more. */
  readonly machines: readonly string[];
}

export type Floors = Readonly<Record<string, number>>;

export interface RestartFacts {
  /** Member → what its control file says of max_connections and its like. */
  floors: ReadonlyMap<string, Floors>;
  /** With its settings a new leader would have less of them than the leader had when it began. */
  lowers: boolean;
  /** Since when the leader has less of them than when it began. */
  loweredSince: number | undefined;
}

/** So long a replica has for following the leader, before that is restarted in place. */
const followMs = 3_000;
/** So long a replica has for hearing of what was lowered. */
const hearMs = 10_000;

/**
 * Every member, replicas first; then one of them takes over, so that connections wait for a tenth of a second only, and
 * the old leader starts again as its replica. Where none may take over the leader is restarted in place. A replica may
 * not have less of max_connections and its like than its leader: what is raised is raised there first. What is lowered
 * begins at the leader, in place, and a replica can take it only when it has heard of it: then it is restarted once
 * more. Pure.
 */
export function forRestart(view: ClusterView, facts: RestartFacts): Due<RestartStep | MemberRestart>[] {
  const { app, restarting: wish, change } = view.cluster;
  if (wish === undefined || change !== undefined) return [];
  if (wish.processes === undefined) return [own("begin", `restart every member of ${app}: it was asked for`)];
  const members = view.members.filter(({ record }) => wish.processes?.[record.id] !== undefined);
  const isDue = (member: MemberView) => due(wish, member);
  if (members.some((member) => !isDue(member) && !isBack(view, wish, member))) return [];
  if (wish.refused !== undefined && wish.settings !== undefined) {
    const ids = members.filter((one) => !isDue(one) && one.record.id !== wish.refused).map(({ record }) => record.id);
    return [own("again", `the settings of ${app} were taken back: who was restarted is restarted once more`, ids)];
  }
  const leader = leaderOf(view);
  const replica = members.find((member) => member !== leader && isDue(member));
  if (replica !== undefined) return [restart(view, replica, "it was asked for")];
  if (leader !== undefined && isDue(leader)) return ofLeader(view, leader, { wish, facts });
  return lowered(view, members, { wish, facts }) ?? [own("finish", `every member of ${app} was restarted`)];
}

const own = (what: RestartStep["what"], because: string, machines: readonly string[] = []): Due<RestartStep> => ({
  step: { do: "concern", concern: restartConcern, what, thing: restartThing, machines },
  because,
});
const restart = (view: ClusterView, member: MemberView, why: string): Due<MemberRestart> => ({
  step: { do: "restart", machine: member.record.id, of: restartConcern },
  because: `restart ${titleOf(view, member)}: ${why}`,
});

const isWanted = ({ record }: MemberView): boolean => record.phase === "ready" && record.wanted === "started";

/** It runs as the process that ran when it began. */
function due({ processes }: Restarting, member: MemberView): boolean {
  const { process } = member.record;
  const then = processes?.[member.record.id];
  const same = process !== undefined && process.pid === then?.pid && process.startTime === then.startTime;
  return same && member.facts.running && isWanted(member);
}

/** It answers, and follows again where it led; or nobody wants it to. */
function isBack(view: ClusterView, wish: Restarting, member: MemberView): boolean {
  if (!isWanted(member)) return true;
  const { id } = member.record;
  const follows = id !== wish.leader || id === view.cluster.leader || member.facts.streaming;
  return member.busy === undefined && member.facts.answers && follows;
}

type At = { wish: Restarting; facts: RestartFacts };

function ofLeader(view: ClusterView, leader: MemberView, { wish, facts }: At): Due<RestartStep | MemberRestart>[] {
  if (wish.inPlace !== undefined) return [restart(view, leader, wish.inPlace)];
  const [id] = view.successors.ids;
  const next = view.members.find(({ record }) => record.id === id);
  if (next?.facts.streaming === true && !facts.lowers)
    return [own("hand-over", `${titleOf(view, next)} takes over before the leader is restarted`, [next.record.id])];
  const soon = !facts.lowers && view.members.some((member) => member !== leader && followsSoon(view, member));
  return soon ? [] : [restart(view, leader, "it was asked for")];
}

/** It was restarted a moment ago; nobody counts yet how long it does not stream where the leader could not be asked. */
const followsSoon = ({ now }: ClusterView, { facts, since: { stranded } }: MemberView): boolean =>
  facts.answers &&
  !facts.streaming &&
  facts.refused === undefined &&
  (stranded === undefined || now - stranded < followMs);

/** Undefined where nothing is left to be done. */
function lowered(view: ClusterView, members: readonly MemberView[], { facts }: At): Due<RestartStep>[] | undefined {
  const { loweredSince: since } = facts;
  const after = facts.floors.get(view.cluster.leader);
  if (since === undefined || after === undefined) return undefined;
  const replicas = members.filter((one) => one.record.id !== view.cluster.leader && one.facts.running);
  const heard = replicas.filter(({ record }) => sameFloors(facts.floors.get(record.id), after));
  if (heard.length < replicas.length && view.now - since < hearMs) return [];
  const ids = heard.map(({ record }) => record.id);
  return [
    own("again", `restart the replicas of ${view.cluster.app} once more: their leader has less than before`, ids),
  ];
}

const sameFloors = (one: Floors | undefined, other: Floors): boolean =>
  one !== undefined && Object.entries(one).every(([name, floor]) => other[name] === floor);
