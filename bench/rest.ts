/**
 * What Perch takes while nothing is asked of it: memory and CPU of perchd and of the name server, with one cluster and
 * with ten.
 */
import { readFile } from "node:fs/promises";
import { pause } from "../src/base/deadline.ts";
import { connectNameServer } from "../src/dns/control.ts";
import { type Perch, statusOf, withPerch } from "./ground.ts";
import type { Bench, Options, Row } from "./report.ts";

export const rest: Bench = {
  name: "rest",
  summary: "memory and CPU of perchd and the name server at rest",
  run: (options) =>
    process.platform === "linux"
      ? withPerch(async (perch) => {
          await perch.type(["quickstart"]);
          const one = await atRest(perch, options, "quickstart's cluster and app", { memory: 80, cpu: 0.5 });
          for (let n = 1; n < 10; n++)
            await perch.type(["postgres", "create", "--name", `more${n}`, "--region", "ams"]);
          return { rows: [...one, ...(await atRest(perch, options, "ten clusters", { cpu: 1 }))] };
        })
      : Promise.resolve({ skipped: "it reads /proc, which is Linux only" }),
};

interface Sample {
  /** VmRSS and Pss, MB. */
  resident: number;
  proportional: number;
  /** Clock ticks of 10 ms. */
  ticks: number;
}

async function sample(pid: number): Promise<Sample> {
  const [status, rollup, stat] = await Promise.all(
    ["status", "smaps_rollup", "stat"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8")),
  );
  const megabytes = (text: string | undefined, pattern: RegExp) =>
    Number(pattern.exec(text ?? "")?.[1] ?? Number.NaN) / 1024;
  const fields = (stat ?? "").slice((stat ?? "").lastIndexOf(")") + 2).split(" ");
  return {
    resident: megabytes(status, /^VmRSS:\s+(\d+)/m),
    proportional: megabytes(rollup, /^Pss:\s+(\d+)/m),
    ticks: Number(fields[11]) + Number(fields[12]),
  };
}

/** One figure a part of the minute. */
async function atRest(
  perch: Perch,
  { quick, say, signal }: Options,
  state: string,
  goals?: { memory?: number; cpu: number },
): Promise<Row[]> {
  const [parts, seconds] = quick ? [2, 3] : [6, 10];
  const nameServer = await connectNameServer(`${perch.home.runtime}/dns.sock`);
  const pids = { perchd: (await statusOf(perch)).daemon.pid, "name server": (await nameServer.ping()).pid };
  nameServer.close();
  say(`${state}: ${parts * seconds} s of rest`);
  const rows: Row[] = [];
  const seen = new Map<string, Sample[]>();
  for (let part = 0; part <= parts; part++) {
    if (part > 0) await pause(seconds * 1_000, signal);
    for (const [who, pid] of Object.entries(pids)) seen.set(who, [...(seen.get(who) ?? []), await sample(pid)]);
  }
  for (const [who, samples] of seen) {
    const later = samples.slice(1);
    const cpu = later.map(({ ticks }, at) => (ticks - (samples[at]?.ticks ?? ticks)) / seconds);
    const aim = who === "perchd" ? goals : undefined;
    const goal = (atMost: number | undefined) => (atMost === undefined ? {} : { goal: { atMost } });
    rows.push(
      {
        what: `${who}: resident, ${state}`,
        unit: "MB",
        values: { VmRSS: later.map((one) => one.resident) },
        ...goal(aim?.memory),
      },
      { what: `${who}: proportional, ${state}`, unit: "MB", values: { Pss: later.map((one) => one.proportional) } },
      { what: `${who}: CPU, ${state}`, unit: "% of a core", values: { CPU: cpu }, ...goal(aim?.cpu) },
    );
  }
  return rows;
}
