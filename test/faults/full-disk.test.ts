import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pause } from "../../src/base/deadline.ts";
import { isRoot } from "../../src/host/home.ts";
import { tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, type World, worldIn } from "../support/world.ts";
import { cases, type Fault, timesOf } from "./fault.ts";
import { allKept, asPromised, trialIn } from "./trial.ts";

/** PERCH_HOME, with the servers and what perchd itself keeps, on a disk of its own that somebody fills. Mounting it takes root. */
const ballast = (world: World): string => join(world.root, "ballast");

function fill(world: World): void {
  const file = openSync(ballast(world), "w");
  try {
    for (const size of [1 << 20, 1 << 12]) writeUntilFull(file, Buffer.alloc(size));
  } finally {
    closeSync(file);
  }
}

function writeUntilFull(file: number, piece: Buffer): void {
  try {
    for (;;) writeSync(file, piece);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  }
}

/** The leader uses up the WAL files it has, and dies of the next; some time after that is said, there is room again. */
async function fillAndFree(world: World, fullMs: number): Promise<void> {
  const { id } = await world.leader();
  fill(world);
  const died = () =>
    world.sql(id, "SELECT pg_switch_wal()").then(
      () => undefined,
      () => true,
    );
  await eventually("the leader cannot write any more", died, 60_000);
  const said = async () => (await world.cluster()).members.find(({ role, note }) => role === "leader" && /disk|space/i.test(note ?? ""));
  try {
    await eventually("status says why", said, 60_000);
    await pause(fullMs);
  } finally {
    await rm(ballast(world));
  }
}

const faults: readonly Fault[] = [
  { name: "the disk full, and freed when that is said", rows: "kept", withinMs: 60_000, act: (world) => fillAndFree(world, 0) },
  { name: "the disk full for ten seconds more", rows: "kept", withinMs: 90_000, long: true, act: (world) => fillAndFree(world, 10_000) },
];

describe.skipIf(!isRoot() || missingTools("ip", "nft", "unshare", "nsenter", "psql", "mount", "umount"))(
  "a cluster that is written to, on a full disk",
  () => {
    const world = worldIn(tempHome());
    const trial = trialIn(world, "on a disk of its own", { replicas: ["ams"] });
    beforeAll(async () => {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=900m,mode=700", "perch-test", world.root]);
      await trial.prepare();
    });
    afterAll(async () => {
      await world.ok("down");
      trial.report();
      // perchd says that all is down a moment before it ends itself.
      await eventually("nobody uses the disk any more", () => spawnSync("umount", [world.root]).status === 0);
    });

    it.each(cases(faults))("bears: %s", async (_name, fault) => {
      for (let round = 0; round < timesOf(fault); round++) expect(await trial.suffer(fault, round)).toEqual(asPromised);
    });

    it("has all rows once, and the same on every member, at the end", async () => {
      expect(await trial.end()).toEqual(allKept);
    });
  },
);
