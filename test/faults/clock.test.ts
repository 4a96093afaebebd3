import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeeded } from "../support/perch.ts";
import { missingTools } from "../support/tools.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { type World, worldIn } from "../support/world.ts";
import { killBackend, killLeader, killReplica, switchOver } from "./deeds.ts";
import { cases, type Fault, timesOf } from "./fault.ts";
import { allKept, asPromised, trialIn } from "./trial.ts";

/**
 * perchd under Debian's libfaketime: its clock is what a file says, from one moment to the next. Servers and clients
 * keep the machine's.
 */
const library = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/faketime/libfaketime.so.1`;
const shift = join(temporaryDirectory(), "shift");
/** What perchd starts keeps the machine's clock, too. */
const alone = `if (process.argv[1].includes("daemon/main")) for (const name of ["LD_PRELOAD", "FAKETIME_SHARED", "NODE_OPTIONS"]) delete process.env[name]`;
const jump = (by: string) => writeFile(shift, `${by}\n`);

/** What shall be tried again in a second must not wait for the hour that was put back. */
const after = (by: string, name: string, act: Fault["act"]): Fault => ({
  name: `the clock at ${by}, and ${name}`,
  rows: "kept",
  withinMs: 10_000,
  async act(world, round) {
    await jump(by);
    await act(world, round);
  },
});

/** What dies so often is started ever more slowly. */
async function killReplicaAgain(world: World): Promise<void> {
  for (let time = 0; time < 3; time++) await killReplica(world);
}

const faults: readonly Fault[] = [
  after("+1h", "the leader killed", killLeader),
  after("+1d", "a replica killed again and again", killReplicaAgain),
  after("+0", "a replica killed", killReplica),
  after("+0", "the leader killed", killLeader),
  after("+30d", "a backend killed", killBackend),
  after("-1d", "a switchover", switchOver),
];

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql", `test -e ${library}`))(
  "a cluster that is written to, while perchd's clock jumps",
  () => {
    const world = worldIn();
    const trial = trialIn(world, "the clock", { replicas: ["ams"] });
    beforeAll(async () => {
      await jump("+0");
      const env = {
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: shift,
        FAKETIME_NO_CACHE: "1",
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
        NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(alone)}`,
      };
      succeeded(await world.perch(["up"], { env }));
      await trial.prepare();
    });
    afterAll(async () => {
      await world.ok("down");
      trial.report();
    });

    it("sees the clock that it is shown", async () => {
      await jump("+1d");
      await world.ok("apps", "create", "late");
      await jump("+0");
      const [last] = (await world.json<{ at: string }[]>("events")).slice(-1);
      expect(Date.parse(last?.at ?? "") - Date.now()).toBeGreaterThan(23 * 3_600_000);
    });

    it.each(cases(faults))("bears: %s", async (_name, fault) => {
      for (let round = 0; round < timesOf(fault); round++) expect(await trial.suffer(fault, round)).toEqual(asPromised);
    });

    it("has all rows once, and the same on every member, at the end", async () => {
      expect(await trial.end()).toEqual(allKept);
    });
  },
);
