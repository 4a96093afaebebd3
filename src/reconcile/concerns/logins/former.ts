import { type Context, passwordsOf } from "../../../cluster/context.ts";
import { changing, type Led } from "../../../cluster/leader/session.ts";
import type { Member } from "../../../postgres/instance/directory.ts";
import { superuser } from "../../../postgres/instance/hba.ts";
import { endLogin, limitLogin, makeAlike } from "../../../postgres/sql/logins.ts";
import { retireUsers } from "../../../postgres/sql/reassign.ts";
import { existing } from "../../../postgres/sql/roles.ts";
import { connect, type Session } from "../../../postgres/sql/session.ts";
import { formerStill, type LoginStep } from "./plan.ts";

/** Logins beside a role are made as it is, and former ones end. In one turn with all else that changes roles. */
export const tend = (context: Context, led: Led, { what, user, logins }: LoginStep): Promise<void> =>
  changing(context, led, async (session, leader) => {
    for (const login of logins) {
      // Somebody may have dropped it, and its record goes.
      const there = (await existing(session, [login])).length > 0;
      if (what === "align" && there) await makeAlike(session, { user, login });
      if (what !== "align") await tendFormer(context, { session, leader }, { what, app: led.record.app, login, there });
    }
  });

/** The records are read again: meanwhile a rotation may have taken the login. */
async function tendFormer(
  context: Context,
  { session, leader }: { session: Session; leader: Member },
  { what, app, login, there }: { what: LoginStep["what"]; app: string; login: string; there: boolean },
): Promise<void> {
  const { state } = context;
  const [formers, attachments, rotations] = await Promise.all([
    state.formerLogins.list({ cluster: app }),
    state.attachments.list({ cluster: app }),
    state.rotations.list({ cluster: app }),
  ]);
  const former = formerStill(login, { formers, attachments, rotations });
  if (former === undefined) return;
  const { user } = former;
  if (what === "limit" && there) await limitLogin(session, login, former.until);
  if (what === "end" && there) {
    await endLogin(session, login);
    context.say(app, `the former password of user ${user} of ${app}, that of ${login}, has ended`);
    if (login === user) await state.formerLogins.remove(former);
  }
  if (what === "remove") {
    if (login !== user && there) await retire(context, { session, leader, app }, { user, login });
    await state.formerLogins.remove(former);
  }
}

/** What it made by itself, after SET ROLE NONE, belongs to its role from then on. */
async function retire(
  context: Context,
  { session, leader, app }: { session: Session; leader: Member; app: string },
  { user, login }: { user: string; login: string },
): Promise<void> {
  const { perch } = await passwordsOf(context, app);
  const heirs = user === "postgres" ? [] : await existing(session, [user]);
  await retireUsers((database) => connect(leader, { user: superuser, password: perch, database }), [login], heirs[0]);
}
