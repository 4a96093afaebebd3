import { chmod, lstat, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fail } from "../errors/error.ts";
import { succeeds } from "../host/process/command.ts";
import { refuseStranger, weakness } from "../host/files/chain.ts";
import { makeDirectory } from "../host/files/files.ts";
import type { Home } from "../host/system/home.ts";
import type { Place } from "../host/process/place.ts";
import { inspect, inspectOne } from "./inspect.ts";
import type { SystemUser } from "../host/system/users.ts";
import type { Owners } from "./modes.ts";
import { serverUsers } from "./server-users.ts";

/**
 * Makes the home and the runtime directory, and refuses them when they, or anything of Perch's in them, could have been
 * made, changed or read by others: in /tmp anyone may have been first. What is where, and whose, stands in `modes.ts`.
 */
export async function prepareDirectories(home: Home): Promise<void> {
  const owners = await ownersOf(home);
  const mode = owners.server === owners.own ? 0o700 : 0o711;
  // In a directory of somebody else's, he could put another home in the place of this one.
  const weak = weakness(dirname(home.base));
  if (weak !== undefined) throw fail("home_unsafe", { fix: "choose another PERCH_HOME", ...weak });
  for (const directory of home.root === home.base ? [home.root] : [home.base, dirname(home.root), home.root]) {
    await refuseLink(directory, directory === home.base ? (led) => `PERCH_HOME=${led} perch up` : undefined);
    await makeDirectory(directory, { mode });
    await inspectOne("home", directory, owners);
    await chmod(directory, mode); // in portable mode PostgreSQL's user walks through it
  }
  await makeDirectory(home.postgres, { mode });
  await prepareRuntime(home);
  await inspect("home", home.root, owners);
  await inspect("runtime", home.runtime, owners);
}

/** The runtime directory alone, which may be taken away while perchd runs. */
export async function prepareRuntime(home: Home): Promise<void> {
  const owners = await ownersOf(home);
  const mode = owners.server === owners.own ? 0o700 : 0o711;
  for (const directory of [dirname(home.runtime), home.runtime]) {
    refuseStranger(join(directory, "any"));
    await refuseLink(directory);
    await makeDirectory(directory, { mode });
    await inspectOne("runtime", directory, owners);
    await chmod(directory, mode);
  }
}

async function ownersOf(home: Home): Promise<Owners> {
  const own = process.getuid?.() ?? 0;
  const users = await serverUsers(home);
  return { own, server: users?.user.uid ?? own, ...(users?.former === undefined ? {} : { former: users.former.uid }) };
}

/**
 * Portable mode as root: nothing shows PostgreSQL's user a home that lies below a directory shut to him, so he must be
 * able to enter it himself.
 */
export async function refuseUnreachable(home: Home, place: Place, user: SystemUser | undefined): Promise<void> {
  if (place.mode !== "portable" || user === undefined) return;
  for (const directory of [...above(home.postgres), home.postgres]) {
    if (!(await succeeds(place.server(["test", "-x", directory]))))
      throw fail("home_unreachable", { user: user.name, path: directory });
  }
}

/** Every directory above a path, outermost first. */
function above(path: string): string[] {
  const found: string[] = [];
  for (let directory = dirname(path); found[0] !== directory; directory = dirname(directory)) found.unshift(directory);
  return found;
}

/** These names are known to all, in /tmp for one: whoever was first may have laid a link there, one of ours even. */
async function refuseLink(path: string, instead?: (led: string) => string): Promise<void> {
  // It may not be there: then it is made.
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSymbolicLink() !== true) return;
  // A link that leads nowhere is told by the error that follows.
  const led = await realpath(path).catch(() => undefined);
  const why = led === undefined ? "it is a symbolic link" : `it is a symbolic link to ${led}`;
  throw fail("home_unsafe", {
    path,
    why,
    fix: led === undefined || instead === undefined ? `rm ${path}` : instead(led),
  });
}
