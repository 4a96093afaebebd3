import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectNameServer } from "../../src/dns/control.ts";
import { type RunningProgram, start, succeeded } from "../support/perch.ts";
import { recordProcess } from "../support/processes.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, timed, worldIn } from "../support/world.ts";

const clusters = 3;
const apps = 50;
const runs = 950;

/**
 * Asks for each name of its standard input, one after the other, and says how long each took and which have no address.
 */
const asker = `
const { resolve6 } = require("node:dns/promises");
(async () => {
  const names = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  const [times, missing] = [[], []];
  for (const name of names) {
    const from = performance.now();
    await resolve6(name).catch(() => missing.push(name));
    times.push(performance.now() - from);
  }
  console.log(JSON.stringify({ times, missing }));
})();`;

const residentMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

/** The small form of `npm run bench -- scale`. */
describe.skipIf(process.platform !== "linux" || missingTools("ip", "nft", "unshare", "nsenter"))(
  "one small machine",
  () => {
    const world = worldIn();
    const { client } = world;
    const names: string[] = [];
    const seen: number[] = [];
    let perchd = 0;
    let watching: NodeJS.Timeout | undefined;
    let holder: RunningProgram | undefined;

    beforeAll(async () => {
      await world.ok("up");
      perchd = (await world.status()).daemon.pid;
      watching = setInterval(() => seen.push(residentMb(perchd)), 100);
      holder = await start([process.execPath, "-e", "setInterval(() => undefined, 1 << 30)"]);
      await recordProcess(holder.pid);
      const create = async (n: number) =>
        client.call("createCluster", {
          body: { name: `pg${n}`, region: "ams", size: 1, password: "operator-password" },
        });
      await timed(`${clusters} clusters`, Promise.all(Array.from({ length: clusters }, (_, n) => create(n))));
      await timed(`${apps} apps attached`, inTurn(apps, 4, attached));
      await timed(`${runs} runs`, inTurn(runs, 16, run));
      for (const { name } of await client.call("listApps", {})) names.push(`${name}.internal`);
    });

    afterAll(() => clearInterval(watching));

    async function inTurn(count: number, atOnce: number, work: (n: number) => Promise<unknown>): Promise<void> {
      for (let n = 0; n < count; n += atOnce)
        await Promise.all(Array.from({ length: Math.min(atOnce, count - n) }, (_, more) => work(n + more)));
    }

    async function attached(n: number): Promise<void> {
      await client.call("createApp", { body: { name: `app${n}` } });
      await client.call("attach", { params: { cluster: `pg${n % clusters}` }, body: { app: `app${n}` } });
    }

    /** A machine of an app for as long as a process lives, as `perch run` makes them. */
    async function run(n: number): Promise<void> {
      const app = `app${n % apps}`;
      const { machine } = await client.call("createRun", { body: { app, pid: holder?.pid ?? 0 } });
      names.push(`${machine?.id}.vm.${app}.internal`);
    }

    it("bears three clusters, fifty apps and a thousand names, each of which is answered", async () => {
      expect(new Set(names).size).toBeGreaterThanOrEqual(1_000);
      const said = succeeded(
        await world.perch(["run", "--", process.execPath, "-e", asker], { input: JSON.stringify(names) }),
      );
      const { times, missing } = JSON.parse(said) as { times: number[]; missing: string[] };
      expect(missing).toEqual([]);
      const sorted = times.toSorted((a, b) => a - b);
      process.stderr.write(
        `${names.length} names, one after the other: p99 ${sorted[Math.floor(sorted.length * 0.99)]?.toFixed(1)} ms\n`,
      );
    });

    it("has perchd below 150 MB all the while, and says how late it was", async () => {
      const nameServer = await connectNameServer(`${world.home.runtime}/dns.sock`);
      const answering = residentMb((await nameServer.ping()).pid);
      nameServer.close();
      const { daemon, warnings } = await world.status();
      const most = Math.max(...seen);
      process.stderr.write(
        `perchd ${Math.round(most)} MB at most, ${Math.round(residentMb(perchd))} MB now, late by ${daemon.loopDelay.max} ms at most (p99 ${daemon.loopDelay.p99} ms); name server ${Math.round(answering)} MB\n`,
      );
      expect(daemon.pid).toBe(perchd);
      expect(seen.length).toBeGreaterThan(20);
      expect(most).toBeLessThan(150);
      expect(warnings.filter(({ what }) => what === "perchd-memory" || what === "descriptors")).toEqual([]);
    });

    it("forgets a thousand runs that ended together at once", async () => {
      const running = async () => (await client.call("listMachines", {})).filter(({ kind }) => kind === "run").length;
      expect(await running()).toBe(runs);
      holder?.kill("SIGKILL");
      await holder?.ended;
      const { ms } = await eventually("none is listed any more", async () => (await running()) === 0, 60_000);
      process.stderr.write(`${runs} runs that ended together were forgotten within ${Math.round(ms)} ms\n`);
      await eventually(
        "their names are gone",
        async () => (await client.call("dig", { body: { name: names[0] ?? "" } })).status === "NXDOMAIN",
      );
    });
  },
);
