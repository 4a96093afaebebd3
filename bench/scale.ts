/**
 * What a small machine bears: ten clusters of a leader and a replica, fifty apps attached, a thousand names. How long
 * it takes to make them, what perchd and the name server take while nothing happens and while much is asked, how late
 * perchd is, and how soon names and `perch status` are answered.
 */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { pause } from "../src/base/deadline.ts";
import { type Client, clientOf } from "../src/client/client.ts";
import { connectNameServer } from "../src/dns/control.ts";
import { type Perch, withPerch } from "./ground.ts";
import type { Bench, Options, Outcome, Row } from "./report.ts";
import { percentile, timed } from "./stats.ts";

const apps = 50;
const runs = 950;

export const scale: Bench = {
  name: "scale",
  summary: "ten clusters, fifty apps and a thousand names on one machine",
  run: (options) =>
    process.platform === "linux"
      ? withPerch((perch) => measure(perch, options))
      : Promise.resolve({ skipped: "it reads /proc, which is Linux only" }),
};

async function measure(perch: Perch, options: Options): Promise<Outcome> {
  const { quick, say, signal } = options;
  await perch.type(["up"]);
  const client = clientOf(perch.home);
  const nameServer = await connectNameServer(`${perch.home.runtime}/dns.sock`);
  const pids = { perchd: (await client.call("status", {})).daemon.pid, "name server": (await nameServer.ping()).pid };
  nameServer.close();
  // Whose machines the runs are: they end with it.
  const holder = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1 << 30)"], { stdio: "ignore" });
  try {
    const free = await availableMb();
    const watched = watch(pids.perchd);
    const { creates, names, more } = await populate(client, holder.pid ?? 0, options, quick ? 3 : 10);
    const built = watched.stop();
    say("waiting until what was late while all was made is forgotten");
    if (!quick) await pause(130_000, signal);
    const idle = await atRest(client, pids, options);
    const questions = await ask(perch, names);
    const statuses = await inTurn(quick ? 5 : 20, 1, () => perch.time(["status"]), signal);
    const busy = await underCommands(client, pids.perchd, holder.pid ?? 0, options);
    return {
      rows: [
        {
          what: "create of a leader and a replica: the first, the last",
          unit: "ms",
          values: { first: creates.slice(0, 1), last: creates.slice(-1) },
        },
        ...more,
        ...idle,
        {
          what: `${names.length} names, one after the other: p99`,
          unit: "ms",
          values: { p99: [percentile(questions, 0.99)], median: [percentile(questions, 0.5)] },
        },
        { what: "perch status", unit: "ms", values: { all: statuses } },
        {
          what: "perchd: resident at most, while all was made",
          unit: "MB",
          values: { VmRSS: [built] },
          goal: { atMost: 150 },
        },
        ...busy,
        { what: "memory of everything together", unit: "MB", values: { taken: [free - (await availableMb())] } },
      ],
    };
  } finally {
    // Without one, perch down would wait for each of them.
    const gone = new Promise((resolve) => holder.once("exit", resolve));
    holder.kill("SIGKILL");
    await gone;
  }
}

async function inTurn<T>(
  count: number,
  atOnce: number,
  work: (n: number) => Promise<T>,
  signal: AbortSignal,
): Promise<T[]> {
  const all: T[] = [];
  for (let n = 0; n < count; n += atOnce) {
    signal.throwIfAborted();
    all.push(...(await Promise.all(Array.from({ length: Math.min(atOnce, count - n) }, (_, next) => work(n + next)))));
  }
  return all;
}

const milliseconds = async (work: () => Promise<unknown>): Promise<number> => (await timed(work)).ms;

async function populate(client: Client, holder: number, { say, signal }: Options, clusters: number) {
  const names: string[] = [];
  const create = (n: number) =>
    client.call("createCluster", { body: { name: `pg${n}`, region: "ams", size: 2, password: "operator-password" } });
  const creates = await inTurn(clusters, 1, (n) => milliseconds(() => create(n)), signal);
  say(`${clusters} clusters are there`);
  const attach = async (n: number) => {
    await client.call("createApp", { body: { name: `app${n}` } });
    names.push(`app${n}.internal`);
    return milliseconds(() =>
      client.call("attach", { params: { cluster: `pg${n % clusters}` }, body: { app: `app${n}` } }),
    );
  };
  const attaches = await inTurn(apps, 1, attach, signal);
  const run = async (n: number) => {
    const { machine } = await client.call("createRun", { body: { app: `app${n % apps}`, pid: holder } });
    names.push(`${machine?.id}.vm.app${n % apps}.internal`);
  };
  const machines = await inTurn(runs, 16, (n) => milliseconds(() => run(n)), signal);
  say(`${names.length} names are there`);
  const more: Row[] = [
    { what: "attach, of fifty", unit: "ms", values: { all: attaches } },
    { what: "becoming a machine, sixteen at once, of a thousand", unit: "ms", values: { all: machines } },
  ];
  return { creates, names, more };
}

const numberIn = async (file: string, pattern: RegExp): Promise<number> =>
  Number(pattern.exec(await readFile(file, "utf8"))?.[1] ?? Number.NaN);
const residentMb = async (pid: number): Promise<number> =>
  (await numberIn(`/proc/${pid}/status`, /^VmRSS:\s+(\d+)/m)) / 1024;
const availableMb = async (): Promise<number> => (await numberIn("/proc/meminfo", /^MemAvailable:\s+(\d+)/m)) / 1024;

/** The most that a process had, looked at ten times a second. */
function watch(pid: number): { stop(): number } {
  let most = 0;
  const timer = setInterval(() => void residentMb(pid).then((now) => (most = Math.max(most, now))), 100);
  return {
    stop() {
      clearInterval(timer);
      return most;
    },
  };
}

/** Clock ticks of 10 ms, of the process and of all that it waited for a core. */
async function used(pid: number): Promise<{ ticks: number; waitedMs: number }> {
  const [text, schedule] = await Promise.all([
    readFile(`/proc/${pid}/stat`, "utf8"),
    readFile(`/proc/${pid}/schedstat`, "utf8"),
  ]);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { ticks: Number(fields[11]) + Number(fields[12]), waitedMs: Number(schedule.split(" ")[1]) / 1e6 };
}

async function atRest(client: Client, pids: Record<string, number>, { quick, say, signal }: Options): Promise<Row[]> {
  const [parts, seconds] = quick ? [2, 3] : [6, 10];
  say(`${parts * seconds} s of rest`);
  const resident: Record<string, number[]> = {};
  const cpu: Record<string, number[]> = {};
  const waited: number[] = [];
  for (let part = 0; part < parts; part++) {
    const before = await Promise.all(Object.values(pids).map(used));
    await pause(seconds * 1_000, signal);
    for (const [at, [who, pid]] of Object.entries(pids).entries()) {
      const [then, now] = [before[at], await used(pid)];
      (resident[who] ??= []).push(await residentMb(pid));
      (cpu[who] ??= []).push((now.ticks - (then?.ticks ?? now.ticks)) / seconds);
      if (who === "perchd") waited.push((now.waitedMs - (then?.waitedMs ?? 0)) / seconds);
    }
  }
  const { loopDelay } = (await client.call("status", {})).daemon;
  return [
    { what: "resident, at rest", unit: "MB", values: { perchd: resident["perchd"] ?? [] }, goal: { atMost: 150 } },
    { what: "resident, at rest", unit: "MB", values: { "name server": resident["name server"] ?? [] } },
    { what: "CPU, at rest", unit: "% of a core", values: cpu },
    {
      what: "perchd is late, at rest",
      unit: "ms",
      values: { max: [loopDelay.max], p99: [loopDelay.p99] },
      goal: { atMost: 100 },
    },
    { what: "perchd waits for a core that others have", unit: "ms/s", values: { all: waited } },
  ];
}

/** As an app asks, from inside. */
const asker = `
const { resolve6 } = require("node:dns/promises");
(async () => {
  const times = [];
  for (const name of JSON.parse(require("node:fs").readFileSync(0, "utf8"))) {
    const from = performance.now();
    await resolve6(name).catch((error) => { if (name.includes(".vm.")) throw error; });
    times.push(performance.now() - from);
  }
  console.log(JSON.stringify(times));
})();`;

const ask = async (perch: Perch, names: readonly string[]): Promise<number[]> =>
  JSON.parse(
    await perch.type(["run", "--", process.execPath, "-e", asker], { input: JSON.stringify(names) }),
  ) as number[];

async function underCommands(
  client: Client,
  pid: number,
  holder: number,
  { quick, say, signal }: Options,
): Promise<Row[]> {
  say("commands");
  const watched = watch(pid);
  const commands = {
    "secrets set": (n: number) =>
      client.call("setSecrets", { params: { app: `app${n % apps}` }, body: { secrets: { TOKEN: `value${n}` } } }),
    run: async (n: number) => {
      const { machine } = await client.call("createRun", { body: { app: `app${n % apps}`, pid: holder } });
      await client.call("endRun", { params: { machine: machine?.id ?? "" } });
    },
    status: () => client.call("status", {}),
  };
  const rows: Row[] = [];
  for (const [name, command] of Object.entries(commands)) {
    const times = await inTurn(quick ? 20 : 200, 4, (n) => milliseconds(() => command(n)), signal);
    rows.push({ what: `${name}, four at once`, unit: "ms", values: { all: times, p99: [percentile(times, 0.99)] } });
  }
  const { loopDelay } = (await client.call("status", {})).daemon;
  return [
    ...rows,
    {
      what: "perchd: resident at most, under commands",
      unit: "MB",
      values: { VmRSS: [watched.stop()] },
      goal: { atMost: 150 },
    },
    {
      what: "perchd is late, under commands",
      unit: "ms",
      values: { max: [loopDelay.max], p99: [loopDelay.p99] },
      goal: { atMost: 100 },
    },
  ];
}
