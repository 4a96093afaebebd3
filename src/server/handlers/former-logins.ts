import { superuser } from "../../postgres/instance/hba.ts";
import {
  endLogin,
  limitLogin,
  type Login,
  loginsInUse,
  loginStates,
  type LoginState,
  makeAlike,
  unlike,
} from "../../postgres/sql/logins.ts";
import { retireUsers } from "../../postgres/sql/reassign.ts";
import { hasUser } from "../../postgres/sql/roles.ts";
import { connect, type Session } from "../../postgres/sql/session.ts";
import type { FormerLoginRecord } from "../../model/records.ts";
import { memberOf, passwordsOf } from "../../cluster/context.ts";
import { usersOfPool } from "../../cluster/pooler-clients.ts";
import { leaderOf, leads, type ClusterView } from "../../cluster/view.ts";
import type { Deps } from "../deps.ts";
import { changing } from "./leader.ts";

/** What is so with a former login. */
export interface Circumstances {
  now: number;
  state: LoginState | undefined;
  /** Runs there are. */
  runs: ReadonlySet<string>;
  /** Whether a session of it is open anywhere; undefined while somebody cannot be asked. */
  inUse: boolean | undefined;
}

/**
 * `limit`: PostgreSQL is told its end. `end`: nobody comes in any more. `remove`: that has been so, and nobody is left.
 */
export type Fate = "stay" | "limit" | "end" | "remove";

/**
 * A former login ends at its time; sooner only where runs were known to have it, all of them have ended and nobody has
 * a session: somebody may have taken the URL elsewhere. Pure.
 */
export function fateOf(
  { until, runs }: Pick<FormerLoginRecord, "until" | "runs">,
  { now, state, runs: there, inUse }: Circumstances,
): Fate {
  if (state === undefined) return "remove";
  const done = runs !== undefined && runs.length > 0 && runs.every((run) => !there.has(run)) && inUse === false;
  if (state.ended) return inUse === false ? "remove" : "stay";
  if (done || Date.parse(until) <= now) return "end";
  return state.until === until ? "stay" : "limit";
}

/** Those of these apps that run now. */
export const runsOf = async ({ state }: Pick<Deps, "state">, apps: readonly string[]): Promise<string[]> =>
  (await state.machines.list()).filter(({ kind, app }) => kind === "run" && apps.includes(app)).map(({ id }) => id);

/**
 * Former logins that are over end, and every login that is not as its role is made so again. A cluster without a leader
 * waits.
 */
export async function tendFormerLogins(deps: Deps): Promise<void> {
  const [formers, attachments] = await Promise.all([deps.state.formerLogins.list(), deps.state.attachments.list()]);
  for (const cluster of new Set(
    [...formers, ...attachments.filter(({ login }) => login !== undefined)].map((one) => one.cluster),
  )) {
    const view = deps.clusters.find(cluster)?.view();
    const leader = view && leaderOf(view);
    if (view === undefined || leader === undefined || !leads(leader)) continue;
    const { perch } = await passwordsOf(deps, cluster);
    const session = await deps.context.monitors.session(memberOf(deps, view.cluster, leader.record), perch);
    if (session !== undefined)
      await tendIn(deps, cluster, session).catch((error: unknown) =>
        deps.log.warn({ err: error }, "logins could not be tended"),
      );
  }
}

/** The same in one cluster. The session may be one that others ask, too: it is asked single questions. */
export async function tendIn(deps: Deps, cluster: string, session: Session): Promise<void> {
  const formers = await deps.state.formerLogins.list({ cluster });
  const attachments = (await deps.state.attachments.list({ cluster })).filter(({ phase }) => phase === "ready");
  const logins: Login[] = [
    ...attachments.flatMap(({ user, login }) => (login === undefined ? [] : [{ user, login }])),
    ...formers
      .map(({ user, login }) => ({ user, login: decodeURIComponent(login) }))
      .filter(({ user, login }) => login !== user),
  ];
  for (const login of await unlike(session, logins)) await changing(deps, cluster, (own) => makeAlike(own, login));
  const names = formers.map(({ login }) => decodeURIComponent(login));
  const states = new Map((await loginStates(session, names)).map((state) => [state.login, state]));
  const view = deps.clusters.find(cluster)?.view();
  if (view === undefined) return;
  for (const former of formers) await tend(deps, view, former, states.get(decodeURIComponent(former.login)));
}

async function tend(
  deps: Deps,
  view: ClusterView,
  former: FormerLoginRecord,
  state: LoginState | undefined,
): Promise<void> {
  const { cluster, user } = former;
  const login = decodeURIComponent(former.login);
  const runs = new Set((await deps.state.machines.list()).map(({ id }) => id));
  const fate = fateOf(former, { now: Date.now(), state, runs, inUse: await isInUse(deps, view, login) });
  switch (fate) {
    case "stay":
      return;
    case "limit":
      return changing(deps, cluster, (session) => limitLogin(session, login, former.until));
    case "end":
      await changing(deps, cluster, (session) => endLogin(session, login));
      await deps.events.append(
        cluster,
        `the former password of user ${user} of ${cluster}, that of ${login}, has ended`,
      );
      if (login === user) await deps.state.formerLogins.remove(former);
      return;
    case "remove":
      if (login !== user) await removeLogin(deps, cluster, { user, login });
      await deps.state.formerLogins.remove(former);
  }
}

/** What it made by itself, after SET ROLE NONE, belongs to its role from then on. */
const removeLogin = (deps: Deps, cluster: string, { user, login }: Login): Promise<void> =>
  changing(deps, cluster, async (own, leader) => {
    const heir = (await hasUser(own, user)) ? user : "postgres";
    const { perch } = await passwordsOf(deps, cluster);
    await retireUsers(
      (database) => connect(leader, { user: superuser, password: perch, database }),
      [login],
      heir === "postgres" ? undefined : heir,
    );
  });

/**
 * On any member or through a pooler, whose clients may have no server just now. Undefined where one of them does not
 * say.
 */
async function isInUse(deps: Deps, { cluster, members }: ClusterView, login: string): Promise<boolean | undefined> {
  const { perch } = await passwordsOf(deps, cluster.app);
  const asked = await Promise.all(
    members
      .filter(({ record }) => record.wanted === "started")
      .map(async ({ record }) => {
        const session = await deps.context.monitors.session(memberOf(deps, cluster, record), perch);
        // Asked again at the next turn; until then the login stays.
        return session && (await loginsInUse(session, [login]).catch(() => undefined));
      }),
  );
  const found = [
    ...asked,
    await usersOfPool(
      deps.context,
      cluster,
      members.map(({ record }) => record),
    ),
  ];
  if (found.some((logins) => logins?.includes(login))) return true;
  return found.includes(undefined) ? undefined : false;
}
