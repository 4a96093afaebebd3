import { within } from "../../../base/deadline.ts";
import { type Context, memberOf, passwordsOf } from "../../../cluster/context.ts";
import type { ClusterRecord, FormerLoginRecord, MachineRecord, RotationRecord } from "../../../model/records.ts";
import { type Login, loginsInUse, loginStates, type LoginState, unlike } from "../../../postgres/sql/logins.ts";
import type { Session } from "../../../postgres/sql/session.ts";
import { usersOfPool } from "../../../cluster/pooler-clients.ts";
import { fateOf } from "./fate.ts";

/** What is so with the logins of a cluster's roles. */
export interface LoginFacts {
  rotations: readonly RotationRecord[];
  formers: readonly FormerLoginRecord[];
  /** Runs there are. */
  runs: ReadonlySet<string>;
  /** What PostgreSQL says of them; undefined where the leader does not. */
  asked: Asked | undefined;
  /** When that was, by the machine's clock: what a login's end is measured by. */
  at: number;
}

export interface Asked {
  states: readonly LoginState[];
  /** Those that are not as their role is. */
  unlike: readonly Login[];
  /** Whether a session of a login is open anywhere; undefined while a server or a pooler does not say. */
  inUse(login: string): boolean | undefined;
}

/** So long the leader is waited for; else it is asked at the next look. Milliseconds. */
const patienceMs = 2_000;
/** So long every member is. */
const memberMs = 500;

export async function look(context: Context, cluster: ClusterRecord, leader: Session | undefined): Promise<LoginFacts> {
  const { state } = context;
  const [rotations, formers, attachments, machines] = await Promise.all([
    state.rotations.list({ cluster: cluster.app }),
    state.formerLogins.list({ cluster: cluster.app }),
    state.attachments.list({ cluster: cluster.app }),
    state.machines.list(),
  ]);
  const beside: Login[] = [
    ...attachments.flatMap(({ phase, user, login }) =>
      phase === "ready" && login !== undefined ? [{ user, login }] : [],
    ),
    ...formers
      .map(({ user, login }) => ({ user, login: decodeURIComponent(login) }))
      .filter(({ user, login }) => login !== user),
  ];
  const found = {
    rotations,
    formers,
    runs: new Set(machines.filter(({ kind }) => kind === "run").map(({ id }) => id)),
    at: Date.now(),
  };
  if (leader === undefined) return { ...found, asked: undefined };
  const ask = async (): Promise<Asked> => {
    const states =
      formers.length === 0
        ? []
        : await loginStates(
            leader,
            formers.map(({ login }) => decodeURIComponent(login)),
          );
    const differ = beside.length === 0 ? [] : await unlike(leader, beside);
    const members = machines.filter(({ app, kind }) => app === cluster.app && kind === "postgres");
    return { states, unlike: differ, inUse: await useOf(context, cluster, members, doubtful({ ...found, states })) };
  };
  // Asked again at the next look.
  return { ...found, asked: await within(patienceMs, ask()).catch(() => undefined) };
}

/** Those whose fate hangs on whether a session uses them. */
const doubtful = ({ formers, runs, at, states }: Omit<LoginFacts, "asked" | "rotations"> & { states: LoginState[] }) =>
  formers
    .filter((former) => {
      const state = states.find(({ login }) => login === decodeURIComponent(former.login));
      const fate = (inUse: boolean) => fateOf(former, { now: at, state, runs, inUse });
      return fate(true) !== fate(false);
    })
    .map(({ login }) => decodeURIComponent(login));

/** On any member or through a pooler, whose clients may have no server just now. */
async function useOf(
  context: Context,
  cluster: ClusterRecord,
  members: readonly MachineRecord[],
  logins: readonly string[],
): Promise<Asked["inUse"]> {
  if (logins.length === 0) return () => undefined;
  const { perch } = await passwordsOf(context, cluster.app);
  const onMembers = members
    .filter(({ wanted }) => wanted === "started")
    .map(async (record) => {
      const session = await context.monitors.session(memberOf(context, cluster, record), perch);
      // Asked again at the next look; until then the login stays.
      return session && within(memberMs, loginsInUse(session, logins)).catch(() => undefined);
    });
  const answers = await Promise.all([...onMembers, usersOfPool(context, cluster, members)]);
  const used = new Set(answers.flatMap((answer) => answer ?? []));
  const silent = answers.includes(undefined);
  return (login) => (used.has(login) ? true : silent || !logins.includes(login) ? undefined : false);
}
