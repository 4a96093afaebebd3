import { redact } from "../../base/redact.ts";
import { titles } from "../../host/process/occupants.ts";
import type { Member } from "../instance/directory.ts";
import { sqlState } from "./session.ts";

/** A server that answers a login with an error. That is an answer: it runs, whatever it thinks of us. */
export interface Refusal {
  /** SQLSTATE. */
  state: string;
  why: string;
}

/** Undefined for an error that is no answer of PostgreSQL's. */
export function toRefusal(error: unknown): Refusal | undefined {
  const state = sqlState(error);
  return state === undefined
    ? undefined
    : { state, why: redact(error instanceof Error ? error.message : String(error)) };
}

/** It is starting up, shutting down or in recovery: it takes no queries from anybody just now. */
export const isNotReady = ({ state }: Refusal): boolean => state.startsWith("57P");

/**
 * Whose the connections are, most first, as the titles of its processes say: `postgres: <cluster_name>: <user>
 * <database> <client> <state>`. Pure.
 */
export function holdersOf(found: readonly string[], member: string): { user: string; connections: number }[] {
  const counts = new Map<string, number>();
  for (const title of found) {
    const user = title.startsWith(`postgres: ${member}: `) ? title.slice(`postgres: ${member}: `.length) : "";
    const name = /^(\S+) \S+ (?:\[local\]|\S+\(\d+\)) /.exec(user)?.[1];
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .map(([user, connections]) => ({ user, connections }))
    .toSorted((a, b) => b.connections - a.connections);
}

/** The refusal, and with 53300 who has the connections: asked of the system, because the server cannot be. */
export async function explained(member: Member, refusal: Refusal): Promise<Refusal> {
  if (refusal.state !== "53300") return refusal;
  const holders = holdersOf(await titles(member.layout.data, "postgres"), member.id);
  const most = holders.slice(0, 3).map(({ user, connections }) => `${user} has ${connections}`);
  return most.length === 0 ? refusal : { ...refusal, why: `${refusal.why}: ${most.join(", ")}` };
}
