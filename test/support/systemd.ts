import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { awaitEnd, identify, signalProcess } from "../../src/host/process/process.ts";
import type { ProcessIdentity } from "../../src/model/records.ts";
import { type Ended, repository, type RunAs, type RunningProgram, runToEnd, start } from "./perch.ts";
import { recordProcess } from "./processes.ts";
import { temporaryDirectory } from "./temporary.ts";
import { eventually } from "./world.ts";

/**
 * A real systemd as process 1 of a machine of its own: its own processes, mounts, network, /run, /dev, units and
 * control groups. It shares the files of this host and nothing else, and ends with everything in it when its process
 * 1 does.
 */
export interface Booted {
  /** Runs a program on that host. */
  run(argv: readonly string[], options?: RunAs): Promise<Ended>;
  begin(argv: readonly string[], options?: RunAs): Promise<RunningProgram>;
  /** The pid that process 1 has here. */
  init: ProcessIdentity;
  /** What systemd has said. */
  said(): string;
  /** As the power button does; resolves when the machine is off. */
  powerOff(): Promise<void>;
  /** Pulls the plug. */
  end(): Promise<void>;
}

const systemd = "/lib/systemd/systemd";
/** SIGRTMIN+4, on which systemd stops every service and powers off. */
const powerOffSignal = 38;

const cgroups = (): string | undefined =>
  readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .find((line) => line.split(" ")[2] === "cgroup2")
    ?.split(" ")[1];

/** Whether that is possible here: as root, with systemd installed and control groups of the second kind to write to. */
export function canBoot(): boolean {
  const can = process.getuid?.() === 0 && existsSync(systemd) && cgroups() !== undefined;
  if (!can)
    process.stderr.write(
      "skipped: a systemd of its own takes root, /lib/systemd/systemd and control groups of the second kind\n",
    );
  return can;
}

/** `at` is the disk of the machine: what is enabled on it is so at its next boot. */
export async function boot(at = temporaryDirectory()): Promise<Booted> {
  const units = join(at, "units");
  mkdirSync(units, { recursive: true });
  for (const [name, text] of Object.entries(targets)) writeFileSync(join(units, name), text);
  for (const name of ["poweroff.target", "systemd-poweroff.service"])
    writeFileSync(join(units, name), readFileSync(`/lib/systemd/system/${name}`));
  const group = join(cgroups() ?? "", basename(at));
  mkdirSync(group);

  const inner = fileURLToPath(new URL("boot.sh", import.meta.url));
  const namespaces = ["--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup", "--fork", "--kill-child"];
  const enter = 'echo $$ > "$1/cgroup.procs"; shift; exec "$@"';
  const outer = await start(["sh", "-c", enter, "sh", group, "unshare", ...namespaces, "sh", inner, at]);
  await recordProcess(outer.pid);
  const { answer: init } = await eventually("systemd has started", async () => {
    if (!existsSync(`/proc/${outer.pid}`))
      throw new Error(`the machine did not start\n${outer.stdout()}${outer.stderr()}`);
    const pid = childOf(outer.pid);
    const identity = pid === undefined ? undefined : await identify(pid);
    return identity !== undefined && readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith(systemd)
      ? identity
      : undefined;
  });
  const enterArgv = (argv: readonly string[]) => [...entrance(init.pid), ...argv];
  const run = (argv: readonly string[], options?: RunAs) => runToEnd(enterArgv(argv), options);
  await eventually(
    "systemd answers",
    async () => (await run(["systemctl", "is-active", "multi-user.target"])).stdout === "active\n",
  );

  const gone = async (withinMs: number) => {
    if (!(await awaitEnd(init, withinMs)))
      throw new Error(`the machine is not off within ${withinMs} ms\n${outer.stdout()}${outer.stderr()}`);
    await outer.ended;
    await eventually("its control groups are empty", () => removeGroups(group));
  };
  return {
    run,
    async begin(argv, options) {
      const entering = await start(enterArgv(argv), options);
      // The program is nsenter's child; a signal to nsenter would not reach it.
      const { answer: program } = await eventually(`${argv[0]} has begun`, () => childOf(entering.pid));
      await recordProcess(program);
      return { ...entering, kill: (signal) => void process.kill(program, signal) };
    },
    init,
    said: () => outer.stdout() + outer.stderr(),
    async powerOff() {
      process.kill(init.pid, powerOffSignal);
      await gone(60_000);
    },
    async end() {
      await signalProcess(init, "SIGKILL");
      await gone(10_000);
    },
  };
}

/** argv that puts a program on that host, in the directory of this repository. */
const entrance = (init: number): string[] => {
  const namespaces = ["--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup"];
  return ["nsenter", "--target", String(init), ...namespaces, "sh", "-c", 'cd "$0" && exec "$@"', repository];
};

function childOf(pid: number): number | undefined {
  const children = `/proc/${pid}/task/${pid}/children`;
  const [child = ""] = existsSync(children) ? readFileSync(children, "utf8").trim().split(" ") : [];
  return child === "" ? undefined : Number(child);
}

/** As little as a service needs: nothing of it is this host's. */
const targets: Readonly<Record<string, string>> = Object.fromEntries([
  ...["sysinit", "basic", "network", "multi-user"].map((name) => [`${name}.target`, "[Unit]\nDescription=Test\n"]),
  ...["shutdown", "umount", "final"].map((name) => [
    `${name}.target`,
    "[Unit]\nDescription=Test\nDefaultDependencies=no\n",
  ]),
]);

function removeGroups(group: string): boolean {
  if (!existsSync(group)) return true;
  try {
    for (const entry of readdirSync(group, { withFileTypes: true }))
      if (entry.isDirectory()) removeGroups(join(group, entry.name));
    rmdirSync(group);
    return true;
  } catch {
    return false;
  }
}
