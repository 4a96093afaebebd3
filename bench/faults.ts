/** What is done to a cluster that is written to, and what a writer may notice of it. */
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { ask, pause } from "../src/base/deadline.ts";
import { connectNameServer } from "../src/dns/control.ts";
import { identify, signalProcess } from "../src/host/process/process.ts";
import { layout } from "../src/postgres/instance/directory.ts";
import { leaderOf, type Perch, statusOf } from "./ground.ts";
import { names } from "./way.ts";

export interface Fault {
  name: string;
  act(perch: Perch, signal: AbortSignal): Promise<unknown>;
  /** The longest time without an acknowledged write, in milliseconds: the median, and the most. */
  gap?: { atMost: number; worst?: number };
  /** Through these no write may fail. */
  unnoticedBy: readonly string[];
}

const all = [names.map, names.pool];

const switchover: Fault = {
  name: "switchover",
  act: (perch) => perch.type(["postgres", "failover", "-a", "pg"]),
  gap: { atMost: 500 },
  unnoticedBy: [names.pool],
};

export const faults: readonly Fault[] = [
  { name: "no fault", act: (_perch, signal) => pause(1_000, signal), unnoticedBy: all },
  switchover,
  {
    name: "postmaster killed",
    act: async (perch) => kill((await leaderOf(perch, "pg")).pid),
    gap: { atMost: 500, worst: 1_000 },
    unnoticedBy: [],
  },
  {
    // A new perchd has seen no crash, so the rule for a crash loop, which promotes another, does not come in when
    // rounds are short.
    name: "perchd killed, and up",
    act: async (perch) => {
      await kill((await statusOf(perch)).daemon.pid);
      await perch.type(["up"]);
    },
    unnoticedBy: all,
  },
  {
    name: "name server killed",
    act: async (perch) => {
      const killed = await nameServer(perch);
      await kill(killed);
      const another = async () => ((await nameServer(perch).catch(() => killed)) === killed ? undefined : true);
      if ((await ask(another, { everyMs: 20, withinMs: 10_000 })) === undefined)
        throw new Error("the name server does not come back within 10 s");
    },
    unnoticedBy: all,
  },
];

/** With synchronous replication on. */
export const synchronousFaults: readonly Fault[] = [
  { ...switchover, name: "switchover, sync on" },
  {
    name: "data gone, sync on",
    act: async (perch) => {
      const { data } = layout(perch.home, (await leaderOf(perch, "pg")).id);
      // In one step: a server that finds single files of its log gone makes them again, and acknowledges what no other
      // member can have (docs/decisions/0043).
      await rename(join(data, "pg_wal"), join(data, "pg_wal.gone"));
      await rm(data, { recursive: true, force: true, maxRetries: 10 });
    },
    gap: { atMost: 5_000 },
    unnoticedBy: [],
  },
];

/** Its pid, as it says itself. */
async function nameServer({ home }: Perch): Promise<number> {
  const connection = await connectNameServer(join(home.runtime, "dns.sock"));
  return connection
    .ping()
    .then(({ pid }) => pid)
    .finally(() => connection.close());
}

async function kill(pid: number | null): Promise<void> {
  const found = pid === null ? undefined : await identify(pid);
  if (found === undefined || !(await signalProcess(found, "SIGKILL")))
    throw new Error(`process ${String(pid)} is not there to be killed`);
}
