import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunningProgram, start } from "./perch.ts";
import { recordProcess } from "./processes.ts";
import { eventually } from "./world.ts";

/** A control group with a limit of memory, of version 1 or 2, as the machine has them. */
export interface MemoryGroup {
  /** Puts a process in; the function that is given takes it out again. */
  adopt(pid: number): () => void;
  /** A process in the group that takes so much and keeps it until it is killed. */
  take(bytes: number): Promise<RunningProgram>;
  remove(): Promise<unknown>;
}

const ways = [
  { root: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", own: /^\d+:memory:(.*)$/m },
  { root: "/sys/fs/cgroup", limit: "memory.max", own: /^0::(.*)$/m },
] as const;

/** Undefined where this process may make none. */
export function memoryGroup(bytes: number): MemoryGroup | undefined {
  for (const { root, limit, own } of ways) {
    const path = join(root, `perch-test-${process.pid}`);
    try {
      mkdirSync(path);
    } catch {
      continue;
    }
    const remove = () => rmdirSync(path);
    const isRemoved = () => {
      try {
        remove();
        return true;
      } catch {
        return false;
      }
    };
    try {
      writeFileSync(join(path, limit), String(bytes));
    } catch {
      remove();
      continue;
    }
    const move = (pid: number, group: string) => writeFileSync(join(group, "cgroup.procs"), String(pid));
    return {
      adopt(pid) {
        const before = join(root, own.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1] ?? "");
        move(pid, path);
        return () => move(pid, before);
      },
      async take(share) {
        const program =
          "const taken = Buffer.alloc(Number(process.argv[1]), 1); console.log(taken.length); setInterval(() => taken, 1 << 30)";
        const taker = await start([
          "sh",
          "-c",
          'echo $$ > "$1/cgroup.procs" && shift && exec "$@"',
          "sh",
          path,
          process.execPath,
          "-e",
          program,
          String(share),
        ]);
        await recordProcess(taker.pid);
        await eventually("it has taken the memory", () => taker.stdout() !== "");
        return taker;
      },
      // A process that has ended leaves it a moment later.
      remove: () => eventually("the group is empty", isRemoved),
    };
  }
  return undefined;
}

export function mayMakeMemoryGroups(): boolean {
  const group = memoryGroup(1 << 30);
  void group?.remove();
  return group !== undefined;
}
