import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/**
 * What tests may leave behind by mistake: processes that name the run's directory, namespaces of its homes, and what is
 * mounted in it.
 */

const readIfThere = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

const linkIfThere = (path) => {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
};

/**
 * Processes whose arguments, environment or working directory lie in `directory`, as `{pid, command}`. Linux only;
 * elsewhere none are seen.
 */
export function leftProcesses(directory) {
  if (!existsSync("/proc/self/environ")) return [];
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .map((pid) => ({ pid: Number(pid), command: readIfThere(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim() }))
    .filter(({ pid, command }) => {
      // PERCH_TEST_DIR itself is handed to every child of the run; a home below it is what marks one of Perch's.
      const environment = readIfThere(`/proc/${pid}/environ`).split("\0");
      return (
        command.includes(`${directory}/`) ||
        environment.includes(`PERCH_TEST_DIR=${directory}`) ||
        linkIfThere(`/proc/${pid}/cwd`).startsWith(`${directory}/`)
      );
    });
}

/** Names of network namespaces of the run's homes: `perch-<8 hex digits of the home's path>`. */
export function leftNamespaces(directory) {
  const homes = readIfThere(`${directory}/homes`).split("\n").filter(Boolean);
  const names = homes.map((home) => `perch-${createHash("sha256").update(home).digest("hex").slice(0, 8)}`);
  return names.filter((name) => existsSync(`/run/netns/${name}`));
}

/** Where in `directory` a test has mounted something, innermost first. */
export const leftMounts = (directory) =>
  readIfThere("/proc/mounts")
    .split("\n")
    .map((line) =>
      (line.split(" ")[1] ?? "").replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((path) => path.startsWith(`${directory}/`))
    .toReversed();

/** Ends what was left, by pid. */
export function end(processes) {
  for (const { pid } of processes) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It is gone already.
    }
  }
}
