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
