import { concernKey, type ConcernStep, type Due } from "../../../cluster/concern.ts";
import { type ClusterView, type MemberView, titleOf } from "../../../cluster/view.ts";

export interface CertificateStep extends ConcernStep {
  readonly concern: "certificate";
  /** It gets another certificate and reads it; it reads what lies there already. */
  readonly what: "renew" | "reload";
  readonly machine: string;
}

/** What a member has. */
export interface Held {
  /** Another certificate is due: its own ends soon, is not for every member, or is not the one that was given. */
  due: boolean;
  /** Since when its files are newer than what it has read, milliseconds since the epoch. */
  unreadSince: number | undefined;
}

export type CertificateFacts = ReadonlyMap<string, Held>;

const factsOf = (view: Pick<ClusterView, "found">): CertificateFacts | undefined =>
  view.found.get("certificate") as CertificateFacts | undefined;

/** A server that was told reads its files within milliseconds. */
const unreadMs = 3_000;

/** Of the members that run. One with another step under way reads its files in that. Pure. */
export const forCertificates = (view: ClusterView, facts: CertificateFacts): Due<CertificateStep>[] =>
  view.members.flatMap((member): Due<CertificateStep>[] => {
    const { record, facts: found, busy } = member;
    const held = facts.get(record.id);
    if (held === undefined || !found.running || record.wanted === "stopped" || busy !== undefined) return [];
    const unread = held.unreadSince !== undefined && view.now - held.unreadSince >= unreadMs;
    if (!held.due && !unread) return [];
    const which = titleOf(view, member);
    const what = held.due ? "renew" : "reload";
    const because = held.due
      ? `certify ${which}: another certificate is due`
      : `let ${which} read its files: they are newer than what it has read`;
    return [{ step: { do: "concern", concern: "certificate", what, thing: record.id, machine: record.id }, because }];
  });

/** Whether a member serves the certificate that it should, as of a view. Pure. */
export function isServed(view: ClusterView, { record, facts }: MemberView): boolean {
  const held = factsOf(view)?.get(record.id);
  const { busy } = view.things.get(concernKey("certificate", record.id)) ?? {};
  return !facts.running || (held !== undefined && !held.due && held.unreadSince === undefined && busy === undefined);
}
