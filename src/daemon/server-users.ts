import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { fail } from "../errors/error.ts";
import { namesIn } from "../host/files/files.ts";
import { type Home, isRoot } from "../host/system/home.ts";
import {
  distributionUserName,
  ensureServerUser,
  findUser,
  serverUserName,
  sharedHere,
  type SystemUser,
} from "../host/system/users.ts";

/** As whom servers and poolers run where perchd is root. */
export interface ServerUsers {
  user: SystemUser;
  /** The distribution's `postgres`, as which an older Perch ran them: while anything in the home is that user's. */
  former: SystemUser | undefined;
  /** Why `user` is the distribution's still. */
  because: string | undefined;
}

/** Undefined where perchd's own user runs them. Rejects with `user_missing` or `user_shared`. */
export async function serverUsers(home: Home): Promise<ServerUsers | undefined> {
  if (!isRoot()) return undefined;
  const distribution = await findUser(distributionUserName);
  const user = await ensureServerUser();
  if (user === undefined) {
    if (distribution === undefined) throw fail("user_missing", { user: serverUserName });
    return {
      user: distribution,
      former: undefined,
      because: `the user ${serverUserName} is not there and could not be made by useradd or adduser`,
    };
  }
  const why = await sharedHere(user);
  if (why !== undefined) throw fail("user_shared", { user: user.name, why });
  const differs = distribution !== undefined && distribution.uid !== user.uid;
  return {
    user,
    former: differs && (await hasAnything(home, distribution.uid)) ? distribution : undefined,
    because: undefined,
  };
}

/**
 * Whether a member, a pooler or a socket of the home is this user's. Only looks, and at the directories' own owners.
 */
async function hasAnything(home: Home, uid: number): Promise<boolean> {
  // What is not there is not its.
  const isIts = async (path: string): Promise<boolean> => (await lstat(path).catch(() => undefined))?.uid === uid;
  const below = async (directory: string): Promise<string[]> =>
    (await namesIn(directory)).map((name) => join(directory, name));
  const members = (await below(home.postgres)).filter((path) =>
    /^[0-9a-f]{14}$/.test(path.slice(home.postgres.length + 1)),
  );
  const pools = await Promise.all((await below(join(home.postgres, "pool"))).map(below));
  const paths = [
    ...members.flatMap((root) => [root, ...["data", "data.next", "tls", "log"].map((name) => join(root, name))]),
    ...pools.flat().flatMap((root) => [root, join(root, "pgbouncer.ini"), join(root, "users.txt")]),
    ...(await below(join(home.runtime, "pg"))),
    ...(await below(join(home.runtime, "pool"))),
  ];
  for (const path of paths) if (await isIts(path)) return true;
  return false;
}
