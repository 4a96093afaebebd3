import { fail } from "../../errors/error.ts";
import { isRoot } from "../../host/system/home.ts";
import { type Account, findAccount } from "../../host/system/users.ts";
import { type Barred, barredOwners } from "../../host/process/walls.ts";

/** `perch run --user NAME`: the account. Throws `run_user_refused`. */
export async function accountNamed(name: string | undefined): Promise<Account | undefined> {
  if (name === undefined) return undefined;
  if (!isRoot()) throw fail("run_user_refused", { user: name.slice(0, 40), why: "perch was not called by root" });
  const account = await findAccount(name);
  if (account === undefined)
    throw fail("run_user_refused", { user: name.slice(0, 40), why: "this host has no such user" });
  return account;
}

/** Whether it may run there: not without a network to enter, and never as PostgreSQL's user or in its group. */
export function checkAccount(
  account: Account,
  { enter, barred }: { enter: readonly string[]; barred: Barred | null | undefined },
): void {
  if (enter.length === 0) throw fail("portable_mode", { what: "perch run --user" });
  const user = account.name;
  // Without it nobody becomes anybody: the command would stay root.
  if (barred === null || barred === undefined)
    throw fail("run_user_refused", {
      user,
      why: "perchd does not say as whom PostgreSQL runs; restart it with perch up",
    });
  const owners = barredOwners(barred);
  if (owners.some(({ uid }) => uid === account.uid))
    throw fail("run_user_refused", { user, why: "PostgreSQL runs as it" });
  if (owners.some(({ gid }) => [account.gid, ...account.groups].includes(gid)))
    throw fail("run_user_refused", { user, why: "it is in the group of PostgreSQL's user" });
}

/** The environment that it was called in, with the account's own words in place of root's. */
export const ownOf = ({ name, home, shell }: Account): NodeJS.ProcessEnv => ({
  ...process.env,
  USER: name,
  LOGNAME: name,
  HOME: home,
  ...(shell === "" ? {} : { SHELL: shell }),
});
