import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pause } from "../../src/base/deadline.ts";
import { isRoot } from "../../src/host/system/home.ts";
import { diskAt } from "../support/disk.ts";
import { tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, type World, worldIn } from "../support/world.ts";
import { cases, type Fault, timesOf } from "./fault.ts";
import { allKept, asPromised, trialIn } from "./trial.ts";

/**
 * PERCH_HOME, with the servers and what perchd itself keeps, is on a disk of its own. The leader is made to write more
 * than it has of old WAL files to write into, and dies for want of room; some time after that is said, there is room
 * again. Until then each byte that a server gives back is taken: a replica that removes old WAL would end the fault.
 */
async function fillAndFree(world: World, fullMs: number): Promise<void> {
  const { id } = await world.leader();
  const disk = diskAt(world.root);
  const died = () => {
    disk.fill();
    return world
      .sql(id, "SELECT pg_logical_emit_message(false, 'full', repeat('x', 16000000)) FROM generate_series(1, 20)")
      .then(
        () => undefined,
        () => true,
      );
  };
  const said = async () => {
    disk.fill();
    return (await world.cluster()).members.find(
      ({ role, note }) => role === "leader" && /disk|space/i.test(note ?? ""),
    );
  };
  try {
    await eventually("the leader cannot write any more", died, 60_000);
    await eventually("status says why", said, 60_000);
    await pause(fullMs);
  } finally {
    disk.empty();
  }
}

const faults: readonly Fault[] = [
  {
    name: "the disk full, and freed when that is said",
    rows: "kept",
    withinMs: 60_000,
    act: (world) => fillAndFree(world, 0),
  },
  {
    name: "the disk full for ten seconds more",
    rows: "kept",
    withinMs: 90_000,
    long: true,
    act: (world) => fillAndFree(world, 10_000),
  },
];

describe.skipIf(!isRoot() || missingTools("ip", "nft", "unshare", "nsenter", "psql", "mount", "umount"))(
  "a cluster that is written to, on a full disk",
  () => {
    const world = worldIn(tempHome());
    const trial = trialIn(world, "on a disk of its own", { replicas: ["ams"] });
    beforeAll(async () => {
      diskAt(world.root).mount("size=900m");
      await trial.prepare();
    });
    afterAll(async () => {
      await world.ok("down");
      trial.report();
      await diskAt(world.root).unmount();
    });

    it.each(cases(faults))("bears: %s", async (_name, fault) => {
      for (let round = 0; round < timesOf(fault); round++) expect(await trial.suffer(fault, round)).toEqual(asPromised);
    });

    it("has all rows once, and the same on every member, at the end", async () => {
      expect(await trial.end()).toEqual(allKept);
    });
  },
);
