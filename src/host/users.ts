import { readText } from "./files.ts";
import { run, succeeds } from "./command.ts";
import type { Owner } from "./files.ts";

/** System users. PostgreSQL refuses root; where perchd is root its servers run as `postgres`, the name every distribution's package uses. */

export interface SystemUser extends Owner {
  name: string;
}

export async function findUser(name: string): Promise<SystemUser | undefined> {
  const passwd = (await readText("/etc/passwd")) ?? "";
  const fields = passwd
    .split("\n")
    .map((line) => line.split(":"))
    .find((candidate) => candidate[0] === name);
  if (fields === undefined) return undefined;
  return { name, uid: Number(fields[2]), gid: Number(fields[3]) };
}

/** The user, made as a system user without a login where absent. Undefined when it can be neither found nor made. */
export async function ensureSystemUser(name: string): Promise<SystemUser | undefined> {
  const found = await findUser(name);
  if (found !== undefined) return found;
  const made = await succeeds([
    "useradd",
    "--system",
    "--user-group",
    "--no-create-home",
    "--home-dir",
    "/nonexistent",
    "--shell",
    "/usr/sbin/nologin",
    name,
  ]);
  if (!made) await run(["adduser", "-S", "-D", "-H", name]).catch(() => undefined); // busybox
  return findUser(name);
}

/** A user of this machine as its login has it. */
export interface Account extends SystemUser {
  groups: number[];
  home: string;
  shell: string;
}

/** By its name or number, wherever the system knows it from; undefined where it does not. */
export async function findAccount(name: string): Promise<Account | undefined> {
  if (name.startsWith("-") || name === "") return undefined;
  const line = await run(["getent", "passwd", name]).then(
    ({ stdout }) => stdout.trim(),
    async () => ((await readText("/etc/passwd")) ?? "").split("\n").find((each) => each.startsWith(`${name}:`)) ?? "",
  );
  const [known, , uid, gid, , home = "/", shell = ""] = line.split(":");
  if (known === undefined || uid === undefined || gid === undefined) return undefined;
  const { stdout } = await run(["id", "-G", "--", known]);
  return { name: known, uid: Number(uid), gid: Number(gid), groups: stdout.trim().split(" ").map(Number), home, shell };
}
