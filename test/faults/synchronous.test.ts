import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missingTools } from "../support/tools.ts";
import { worldIn } from "../support/world.ts";
import { cases, timesOf } from "./fault.ts";
import { synchronousFaults } from "./faults.ts";
import { allKept, asPromised, trialIn } from "./trial.ts";

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))(
  "a cluster that is written to, with synchronous replication",
  () => {
    const world = worldIn();
    const trial = trialIn(world, "synchronous", { replicas: ["ams", "lhr"] });
    beforeAll(async () => {
      await trial.prepare();
      await world.ok("postgres", "sync", "on", "-a", "pg");
    });
    afterAll(async () => {
      await world.ok("down");
      trial.report();
    });

    it.each(cases(synchronousFaults))("bears: %s", async (_name, fault) => {
      for (let round = 0; round < timesOf(fault); round++) expect(await trial.suffer(fault, round)).toEqual(asPromised);
    });

    it("has all rows once, and the same on every member, at the end", async () => {
      expect(await trial.end()).toEqual(allKept);
    });
  },
);
