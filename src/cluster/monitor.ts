import { within } from "../base/deadline.ts";
import { watchDirectory } from "../host/files/watch.ts";
import type { Member } from "../postgres/instance/directory.ts";
import { isRepairable } from "../postgres/sql/own-roles.ts";
import { type Refusal, toRefusal } from "../postgres/sql/refusal.ts";
import { superuser } from "../postgres/instance/hba.ts";
import { connect, type Session, sqlState } from "../postgres/sql/session.ts";

/**
 * One connection held open to every running server. Its closing is the quickest news of the server's death, whoever
 * started it; and what the loop asks, it asks over it. The data directory is watched, too: a server whose files are
 * taken away may live on for minutes.
 */
export interface Monitors {
  /** The session with a server that runs; undefined when it does not answer within a second. */
  session(member: Member, password: string): Promise<Session | undefined>;
  /** What a server said to the last attempt to connect, when it said no. */
  refusal(machine: string): Refusal | undefined;
  /** Why there was no session the last time: what the socket or PostgreSQL said, or that neither said anything. */
  silence(machine: string): string;
  drop(machine: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * A session that is held tells nothing of what is said to the next login: after an error like this one the loop is to
 * find out.
 */
export function doubt(held: Monitors, machine: string, error: unknown): void {
  const state = sqlState(error);
  if (state !== undefined && isRepairable(state)) void held.drop(machine);
}

const patienceMs = 1_000;

export function monitors(onNews: (machine: string) => void): Monitors {
  const held = new Map<string, Promise<Session>>();
  const refusals = new Map<string, Refusal>();
  const silences = new Map<string, string>();

  function hold(member: Member, password: string): Promise<Session> {
    const asked = connect(member, { user: superuser, password, timeoutMs: patienceMs });
    held.set(member.id, asked);
    const unwatch = watchDirectory(member.layout.data, () => onNews(member.id));
    const forget = () => {
      unwatch();
      if (held.get(member.id) === asked) held.delete(member.id);
    };
    asked.then(
      (session) => {
        refusals.delete(member.id);
        void session.ended.then(() => {
          forget();
          onNews(member.id);
        });
      },
      (error: unknown) => {
        const refusal = toRefusal(error);
        if (refusal === undefined) refusals.delete(member.id);
        else refusals.set(member.id, refusal);
        forget();
      },
    );
    return asked;
  }

  return {
    async session(member, password) {
      let why = `it does not answer within ${patienceMs / 1_000} s`;
      const found = await within(patienceMs, held.get(member.id) ?? hold(member, password)).catch((error: unknown) => {
        why = error instanceof Error ? error.message : String(error);
        return undefined;
      });
      if (found === undefined) silences.set(member.id, why);
      else silences.delete(member.id);
      return found;
    },
    refusal: (machine) => refusals.get(machine),
    silence: (machine) => silences.get(machine) ?? "it does not answer",
    async drop(machine) {
      refusals.delete(machine);
      const session = held.get(machine);
      held.delete(machine);
      await session?.then(
        (open) => open.close(),
        () => undefined,
      );
    },
    async close() {
      await Promise.all([...held.keys()].map((machine) => this.drop(machine)));
    },
  };
}
