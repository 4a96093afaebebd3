import { type FileHandle, open, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import { ask } from "../base/deadline.ts";
import { fail } from "../errors/error.ts";
import { startDetached, succeeds } from "../host/process/command.ts";
import { readText, writeWhole } from "../host/files/files.ts";
import type { Home } from "../host/system/home.ts";
import type { Place } from "../host/process/place.ts";
import { endProcess, identify, isAlive } from "../host/process/process.ts";
import type { ProcessIdentity } from "../model/records.ts";
import { loopbackClaim, raiseLoopback } from "./loopback.ts";
import { mountServerNames, serverNameFiles } from "./server-names.ts";
import type { Namespace } from "./namespace.ts";

/**
 * As an ordinary user: a small anchor process holds a user, network and mount namespace in which the user is root.
 * Whoever enters with `nsenter --preserve-credentials` has the anchor's rights; PostgreSQL and apps run in a user
 * namespace nested in it and are the user again. The anchor outlives perchd and is found again by its recorded pid and
 * start time.
 */
export function userNamespace(home: Home, user: { uid: number; gid: number }): Namespace {
  const file = join(home.runtime, "anchor.json");
  const names = serverNameFiles(home);
  let anchor: ProcessIdentity | undefined;

  const held = (): number => {
    if (anchor === undefined) throw fail("namespace_refused", { why: "its anchor process is gone" });
    return anchor.pid;
  };
  const enter = () => ["nsenter", "--target", String(held()), "--user", "--net", "--preserve-credentials", "--"];
  const place: Place = {
    mode: "user",
    owner: undefined,
    tool: (argv) => [...enter(), ...argv],
    joined: () => ({ net: `/proc/${held()}/ns/net`, user: `/proc/${held()}/ns/user` }),
    server: (argv) => [
      ...enter(),
      "unshare",
      "--mount",
      "--propagation",
      "private",
      "--",
      "sh",
      "-c",
      `set -e\n${mountServerNames}\nexec "$@"`,
      "perch",
      names.resolv,
      names.nsswitch,
      ...asUserAgain(user),
      ...argv,
    ],
    seen: (path) => path,
  };

  async function adopt(): Promise<ProcessIdentity | undefined> {
    const text = await readText(file);
    if (text === undefined) return undefined;
    try {
      const found = JSON.parse(text) as ProcessIdentity;
      return (await isAlive(found)) && (await hasOwnNetwork(found.pid)) ? found : undefined;
    } catch {
      return undefined; // a note cut short: as good as none
    }
  }

  /** Open for as long as this process lives, so that the namespaces do, too, when their anchor is killed. */
  let kept: { users: FileHandle; net: FileHandle } | undefined;

  async function letGo(): Promise<void> {
    const handles = kept;
    kept = undefined;
    await Promise.all([handles?.users.close(), handles?.net.close()]);
  }

  async function keep({ pid }: ProcessIdentity): Promise<void> {
    await letGo();
    const [users, net] = await Promise.all([open(`/proc/${pid}/ns/user`), open(`/proc/${pid}/ns/net`)]);
    kept = { users, net };
  }

  const make = () => anchorBy(["unshare", "--user", "--map-root-user", "--net", "--mount", "--", "sleep", "infinity"]);

  async function anchorBy(argv: readonly string[]): Promise<ProcessIdentity> {
    const started = await startDetached(argv, { cwd: "/" });
    let exit: number | null | undefined;
    void started.ended.then((end) => (exit = end.exitCode ?? 1));
    const ready = await ask(
      async () => (exit === undefined ? ((await hasOwnNetwork(started.pid)) ? true : undefined) : false),
      {
        everyMs: 5,
        withinMs: 5_000,
      },
    );
    const identity = await identify(started.pid);
    if (ready !== true || identity === undefined)
      throw fail("namespace_refused", { why: "unshare --user --net is not allowed to this user" });
    await writeWhole(file, JSON.stringify(identity));
    return identity;
  }

  return {
    place,
    async ensure() {
      anchor = await adopt();
      const present = anchor !== undefined;
      anchor ??= await make();
      await raiseLoopback(enter());
      await succeeds([...enter(), "sh", "-c", 'echo "0 0" >/proc/sys/net/ipv4/ping_group_range']);
      await keep(anchor);
      return !present;
    },
    claims: () => [loopbackClaim(enter())],
    async tend() {
      if (kept === undefined || (anchor !== undefined && (await isAlive(anchor)))) return false;
      const at = (handle: FileHandle) => `/proc/${process.pid}/fd/${handle.fd}`;
      anchor = await anchorBy([
        "nsenter",
        `--user=${at(kept.users)}`,
        `--net=${at(kept.net)}`,
        "--preserve-credentials",
        "--",
        "sleep",
        "infinity",
      ]);
      return true;
    },
    async remove() {
      await letGo();
      const found = await adopt();
      if (found !== undefined) await endProcess(found, 500);
      await rm(file, { force: true });
      anchor = undefined;
    },
  };
}

/** argv that makes whoever is root in the anchor's namespace the plain user again. */
export const asUserAgain = (user: { uid: number; gid: number }): string[] => [
  "unshare",
  "--user",
  `--map-user=${user.uid}`,
  `--map-group=${user.gid}`,
  "--",
];

/** Whether unshare has already done its work in that process. */
async function hasOwnNetwork(pid: number): Promise<boolean> {
  const [its, ours] = await Promise.all([
    // The process may have ended.
    readlink(`/proc/${pid}/ns/net`).catch(() => undefined),
    readlink("/proc/self/ns/net"),
  ]);
  if (its === undefined || its === ours) return false;
  // The process may have ended.
  const map = await readText(`/proc/${pid}/uid_map`).catch(() => undefined);
  return map !== undefined && map.trim() !== "";
}
