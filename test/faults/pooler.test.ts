import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missingTools } from "../support/tools.ts";
import { worldIn } from "../support/world.ts";
import { cases, timesOf } from "./fault.ts";
import { pooledFaults } from "./faults.ts";
import { allKept, asPromised, trialIn } from "./trial.ts";

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql", "pgbouncer"))(
  "a cluster that is written to through its pooler",
  () => {
    const world = worldIn();
    const trial = trialIn(world, "through 6432", { replicas: ["ams", "lhr"], pooled: true });
    beforeAll(trial.prepare);
    afterAll(async () => {
      await world.ok("down");
      trial.report();
    });

    it.each(cases(pooledFaults))("bears: %s", async (_name, fault) => {
      for (let round = 0; round < timesOf(fault); round++) expect(await trial.suffer(fault, round)).toEqual(asPromised);
    });

    it("has all rows once, and the same on every member, at the end", async () => {
      expect(await trial.end()).toEqual(allKept);
    });
  },
);
