import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { ask } from "../../base/deadline.ts";
import { run, succeeds } from "../process/command.ts";
import { exists, readText } from "../files/files.ts";
import type { Owner } from "../files/files.ts";

/**
 * System users. PostgreSQL refuses root; where perchd is root its servers run as a user of Perch's own, which nothing
 * else runs as and which is in no group of others.
 */

export interface SystemUser extends Owner {
  name: string;
}

/**
 * Home and shell are what Debian's package gives `postgres`, but for a home of its own: nothing is in it, and nobody
 * else may put a file there.
 */
export const serverUserName = "perch-postgres";
const serverHome = "/var/lib/perch-postgres";
const serverComment = "PostgreSQL of Perch";

/**
 * As whom servers ran before: the user of every distribution's package, which runs the distribution's own servers, too.
 */
export const distributionUserName = "postgres";

export async function findUser(name: string): Promise<SystemUser | undefined> {
  const fields = linesOf((await readText("/etc/passwd")) ?? "").find((candidate) => candidate[0] === name);
  if (fields === undefined) return undefined;
  return { name, uid: Number(fields[2]), gid: Number(fields[3]) };
}

const linesOf = (text: string): string[][] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(":"));

/** Programs that change /etc/passwd take turns, and some give up at once. */
const turnMs = 5_000;
/** Those that this process could not make: it is not tried again. */
const unmade = new Set<string>();

/**
 * The user that servers run as, made where it is absent: without a password, so that only root becomes it. Undefined
 * when it can be neither found nor made.
 */
export async function ensureServerUser(name = serverUserName): Promise<SystemUser | undefined> {
  const made = async (): Promise<SystemUser | false | undefined> => {
    const found = await findUser(name);
    if (found !== undefined) return found;
    if (unmade.has(name) || !(await isWritable("/etc"))) return false;
    const locked = await make(name);
    return (await findUser(name)) ?? (locked ? undefined : false);
  };
  const user = await ask(made, { everyMs: 100, withinMs: turnMs });
  if (user === undefined || user === false) unmade.add(name);
  return user === false ? undefined : user;
}

/** It may be mounted read-only: then root may not write there either. */
const isWritable = (path: string): Promise<boolean> =>
  access(path, constants.W_OK).then(
    () => true,
    () => false,
  );

/** Gives whether it may work in a moment: another program is changing the file. */
async function make(name: string): Promise<boolean> {
  const shell = (await exists("/bin/bash")) ? "/bin/bash" : "/bin/sh";
  const add = [
    "useradd",
    "--system",
    "--no-create-home",
    "--home-dir",
    serverHome,
    "--shell",
    shell,
    "--comment",
    serverComment,
  ];
  const group = linesOf((await readText("/etc/group")) ?? "").some((line) => line[0] === name)
    ? ["--gid", name]
    : ["--user-group"];
  try {
    await run([...add, ...group, name]);
  } catch (error) {
    if (/cannot lock|already exists/.test(String(error))) return true;
    await succeeds(["addgroup", "-S", name]); // busybox
    await succeeds(["adduser", "-S", "-D", "-H", "-h", serverHome, "-s", shell, "-g", serverComment, "-G", name, name]);
  }
  return false;
}

/** Why a user is not for servers alone, by the texts of /etc/passwd and /etc/group; undefined where it is. Pure. */
export function sharedWith({ name, uid, gid }: SystemUser, passwd: string, group: string): string | undefined {
  if (uid === 0 || gid === 0) return `its ${uid === 0 ? "user" : "group"} is root's`;
  const others = linesOf(passwd).filter(([other]) => other !== name);
  const twin = others.find((line) => Number(line[2]) === uid)?.[0];
  if (twin !== undefined) return `the user ${twin} has the same number, ${uid}`;
  const lives = others.find((line) => Number(line[3]) === gid)?.[0];
  if (lives !== undefined) return `the user ${lives} has the same group, ${gid}`;
  const groups = linesOf(group).map(([title = "", , number, members = ""]) => ({
    title,
    number,
    members: members.split(","),
  }));
  const guest = groups
    .find(({ number }) => Number(number) === gid)
    ?.members.find((member) => member !== "" && member !== name);
  return guest === undefined ? undefined : `the user ${guest} is in its group`;
}

/** The same of this host's own texts. */
export const sharedHere = async (user: SystemUser): Promise<string | undefined> =>
  sharedWith(user, (await readText("/etc/passwd")) ?? "", (await readText("/etc/group")) ?? "");

/** A user of this host as its login has it. */
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
