import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { findHome } from "../../src/host/system/home.ts";
import { awaitEnd, identify, signalProcess } from "../../src/host/process/process.ts";
import type { ProcessIdentity } from "../../src/model/records.ts";

/** What a Perch leaves in the world: its processes, its namespace, its runtime directory. */
export interface Found extends ProcessIdentity {
  command: string;
}

const quietly = (read: () => string): string => {
  try {
    return read();
  } catch {
    return "";
  }
};

/**
 * Every process that names the home or its runtime directory, works in them, or lives in the home's network namespace.
 */
export async function processesOf(root: string): Promise<Found[]> {
  const home = findHome({ PERCH_HOME: root });
  const namespace = quietly(() => `net:[${statSync(netnsOf(root)).ino}]`);
  const marks = [home.root, home.runtime];
  const found = await Promise.all(
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(async (name): Promise<Found | undefined> => {
        const at = `/proc/${name}`;
        const command = quietly(() => readFileSync(`${at}/cmdline`, "utf8")).replaceAll("\0", " ");
        const texts = [
          command,
          quietly(() => readFileSync(`${at}/environ`, "utf8")),
          quietly(() => readlinkSync(`${at}/cwd`)),
        ];
        const named = texts.some((text) => marks.some((mark) => text.includes(mark)));
        if (!named && (namespace === "" || quietly(() => readlinkSync(`${at}/ns/net`)) !== namespace)) return undefined;
        const identity = await identify(Number(name));
        return identity && { ...identity, command };
      }),
  );
  return found.filter((one) => one !== undefined);
}

export const netnsOf = (root: string): string => `/run/netns/perch-${findHome({ PERCH_HOME: root }).id}`;

/** Sentences on what is left; none after `perch down`. */
export async function tracesOf(root: string): Promise<string[]> {
  const { runtime, daemonFile } = findHome({ PERCH_HOME: root });
  return [
    ...(await processesOf(root)).map(({ pid, command }) => `process ${pid} runs: ${command}`),
    ...[netnsOf(root), runtime, daemonFile].filter((path) => existsSync(path)).map((path) => `${path} is there`),
  ];
}

/** `kill -9` of processes known by pid and start time, at once; resolves when they are gone. */
export async function killHard(processes: readonly ProcessIdentity[]): Promise<void> {
  await Promise.all(processes.map((one) => signalProcess(one, "SIGKILL")));
  for (const one of processes)
    if (!(await awaitEnd(one, 5_000))) throw new Error(`process ${one.pid} survived SIGKILL`);
}

export async function known(pid: number | null | undefined): Promise<ProcessIdentity> {
  const identity = typeof pid === "number" ? await identify(pid) : undefined;
  if (identity === undefined) throw new Error(`process ${String(pid)} is not running`);
  return identity;
}
