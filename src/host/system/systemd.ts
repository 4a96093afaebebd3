import { readFile } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { fail } from "../../errors/error.ts";
import { CommandError, run, succeeds } from "../process/command.ts";
import { exists, findProgram } from "../files/files.ts";
import { isRoot } from "./home.ts";

/** The service manager that would keep Perch: root's is the system's, an ordinary user's is that user's own. */
export interface Manager {
  system: boolean;
  /** Where units lie that somebody placed. */
  directory: string;
}

export function managerOf(env: NodeJS.ProcessEnv = process.env): Manager {
  if (isRoot()) return { system: true, directory: "/etc/systemd/system" };
  const given = env["XDG_CONFIG_HOME"];
  return {
    system: false,
    directory: join(given === undefined || given === "" ? join(homedir(), ".config") : given, "systemd", "user"),
  };
}

/** Throws `systemd_missing` where there is no such manager. */
export async function requireManager(manager: Manager, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  if ((await findProgram("systemctl")) === undefined) throw fail("systemd_missing", { why: "there is no systemctl" });
  if (!(await exists("/run/systemd/system")))
    throw fail("systemd_missing", { why: "process 1 of this host is another program" });
  const runtime = env["XDG_RUNTIME_DIR"] ?? "";
  if (!manager.system && !(await exists(join(runtime, "systemd", "private"))))
    throw fail("systemd_missing", { why: "this user has no service manager of his own (XDG_RUNTIME_DIR names none)" });
}

const argvOf = ({ system }: Manager, words: readonly string[]): string[] => [
  "systemctl",
  ...(system ? [] : ["--user"]),
  "--no-pager",
  ...words,
];

/** Rejects with `systemd_failed`, which holds what systemctl said. */
export async function systemctl(manager: Manager, ...words: string[]): Promise<string> {
  try {
    // A stop waits until PostgreSQL has ended.
    return (await run(argvOf(manager, words), { timeoutMs: 600_000 })).stdout;
  } catch (error) {
    const why =
      error instanceof CommandError ? (error.stderr.trim().split("\n").at(-1) ?? error.message) : String(error);
    throw fail(
      "systemd_failed",
      { command: `systemctl ${words.join(" ")}`, why: why === "" ? "it said nothing" : why },
      error,
    );
  }
}

/** What systemd is doing with the unit just now: `stop`, `restart`, `start`; undefined where it is left alone. */
export async function jobOf(manager: Manager, unit: string): Promise<string | undefined> {
  return jobIn(await systemctl(manager, "list-jobs", "--no-legend", "--plain", "--full"), unit);
}

/** Pure: lines of `systemctl list-jobs`. */
export function jobIn(listed: string, unit: string): string | undefined {
  const jobs = listed.split("\n").map((line) => line.trim().split(/\s+/));
  return jobs.find(([, name]) => name === unit)?.[2];
}

/** The unit that a process belongs to; undefined where that is none of a service, or the system does not tell. */
export async function unitOf(pid: number | "self"): Promise<string | undefined> {
  // The process may have ended.
  return unitIn(await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => ""));
}

/** Pure: lines of /proc/PID/cgroup. systemd's own hierarchy is the unified one, or the one that has its name. */
export function unitIn(cgroups: string): string | undefined {
  const paths = cgroups.split("\n").filter((line) => /^(?:0:|\d+:name=systemd):/.test(line));
  const names = paths.flatMap((line) =>
    line.split("/").filter((part) => part.endsWith(".service") && !part.startsWith("user@")),
  );
  return names.at(-1);
}

/** Whether a user's services go on when he has logged out, and start at boot. */
export const lingers = (): Promise<boolean> => exists(join("/var/lib/systemd/linger", userInfo().username));

export const isEnabled = (manager: Manager, unit: string): Promise<boolean> =>
  succeeds(argvOf(manager, ["is-enabled", "--quiet", unit]));
