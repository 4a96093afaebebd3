import type { Owner } from "../files/files.ts";
import type { Account } from "../system/users.ts";

/**
 * What is taken from a command before it starts. As root it gets a user namespace of its own, in which it is root over
 * its own processes alone: those of other runs, of perchd and of PostgreSQL cannot be looked into, and PostgreSQL's
 * user cannot be become, because it has no number there. In every mode no program that it starts gains rights
 * (`no_new_privs`). Pure.
 */

/** How the numbers of users read in the command's namespace, as /proc/PID/uid_map and gid_map take it. */
export interface IdMaps {
  uids: string;
  gids: string;
}

const all = 4_294_967_295;

/** Every number stands for itself, but for those that are not there. */
export function mapWithout(...ids: number[]): string {
  const gone = [...new Set(ids)].toSorted((a, b) => a - b);
  return [
    ...gone.map((id, index) => line(index === 0 ? 0 : (gone[index - 1] ?? 0) + 1, id)),
    line((gone.at(-1) ?? -1) + 1, all),
  ].join("");
}

const line = (from: number, to: number): string => (from >= to ? "" : `${from} ${from} ${to - from}\n`);

export const idMapsWithout = (owners: readonly Owner[]): IdMaps => ({
  uids: mapWithout(...owners.map(({ uid }) => uid)),
  gids: mapWithout(...owners.map(({ gid }) => gid)),
});

/** PostgreSQL's user, which no command may become; with it the one that servers of an older Perch still run as. */
export interface Barred extends Owner {
  former?: Owner | undefined;
}

export const barredOwners = ({ uid, gid, former }: Barred): Owner[] => [
  { uid, gid },
  ...(former === undefined ? [] : [former]),
];

/**
 * Says by descriptor 3 that the namespace is there, and waits until it has its numbers. Only a program started after
 * that has the rights of its root.
 */
const waitForMaps = 'echo >&3; read -r _ <&3 || exit 125; exec 3>&-; exec "$@"';

/**
 * What a container has by default, less what leads round the walls: device nodes, capabilities of files, those of other
 * programs.
 */
const kept = [
  "chown",
  "dac_override",
  "fowner",
  "fsetid",
  "kill",
  "setgid",
  "setuid",
  "net_bind_service",
  "sys_chroot",
  "audit_write",
];

/**
 * argv between the way into the network and the command. `ownNamespace` needs `IdMaps` written by its starter
 * (`startWalled`); in it `net_raw` has no power over the network, and without it the file capability of ping would keep
 * ping from starting.
 */
export function wallsArgv({
  root,
  ownNamespace,
  account,
}: {
  root: boolean;
  ownNamespace: boolean;
  account: Account | undefined;
}): string[] {
  if (!root) return ["setpriv", "--no-new-privs", "--"];
  const bounding = ["-all", ...[...kept, ...(ownNamespace ? ["net_raw"] : [])].map((name) => `+${name}`)].join(",");
  const become =
    account === undefined
      ? []
      : [
          `--reuid=${account.uid}`,
          `--regid=${account.gid}`,
          account.groups.length === 0 ? "--clear-groups" : `--groups=${account.groups.join(",")}`,
        ];
  const namespace = ownNamespace ? ["unshare", "--user", "--", "sh", "-c", waitForMaps, "perch"] : [];
  return [...namespace, "setpriv", "--no-new-privs", "--inh-caps=-all", `--bounding-set=${bounding}`, ...become, "--"];
}
