import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * The ordinary user of tests that must not run as root. Started by root, that is `perchtest`, made when missing;
 * started by anyone else, whoever that is.
 */
export interface Account {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

const name = "perchtest";

function lookUp(wanted: (fields: string[]) => boolean): Account | undefined {
  const fields = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .find(wanted);
  return fields === undefined
    ? undefined
    : { name: fields[0] ?? "", uid: Number(fields[2]), gid: Number(fields[3]), home: fields[5] ?? "/" };
}

export function ordinaryUser(): Account {
  const own = process.getuid?.() ?? 0;
  if (own !== 0) {
    const unlisted = { name: "me", uid: own, gid: process.getgid?.() ?? own, home: process.env["HOME"] ?? "/" };
    return lookUp((fields) => fields[2] === String(own)) ?? unlisted;
  }
  const known = () => lookUp((fields) => fields[0] === name);
  if (known() === undefined) execFileSync("useradd", ["--create-home", "--shell", "/bin/sh", name]);
  const account = known();
  if (account === undefined) throw new Error(`useradd made no ${name}`);
  return account;
}

/** argv that runs as the account, with its groups and none of root's rights. The process keeps its pid. */
export function asAccount(account: Account, argv: readonly string[]): string[] {
  if (process.getuid?.() === account.uid) return [...argv];
  return [
    "setpriv",
    `--reuid=${account.uid}`,
    `--regid=${account.gid}`,
    "--init-groups",
    "--inh-caps=-all",
    "--",
    ...argv,
  ];
}

/** Whether the account can read a path: a checkout below a 0700 home is shut to it. */
export function canRead(account: Account, path: string): boolean {
  const [program = "", ...rest] = asAccount(account, ["test", "-r", path]);
  return spawnSync(program, rest).status === 0;
}
