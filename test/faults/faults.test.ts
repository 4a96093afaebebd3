import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missingTools } from "../support/tools.ts";
import { worldIn } from "../support/world.ts";
import { cases, timesOf } from "./fault.ts";
import { faults } from "./faults.ts";
import { allKept, asPromised, trialIn } from "./trial.ts";

/**
 * Faults under a writing load, on real processes: after each, every acknowledged row is there where that is promised,
 * nobody but one leader a timeline took a row, and all members have the same. FAULT_ROUNDS repeats each; the table at
 * the end says what each cost, and FAULT_JSON names a file for the same as JSON.
 */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))("a cluster that is written to", () => {
  const world = worldIn();
  const trial = trialIn(world, "asynchronous", { replicas: ["ams", "lhr"] });
  beforeAll(trial.prepare);
  afterAll(async () => {
    await world.ok("down");
    trial.report();
  });

  it.each(cases(faults))("bears: %s", async (_name, fault) => {
    for (let round = 0; round < timesOf(fault); round++) expect(await trial.suffer(fault, round)).toEqual(asPromised);
  });

  it("has all rows once, and the same on every member, at the end", async () => {
    expect(await trial.end()).toEqual(allKept);
  });
});
