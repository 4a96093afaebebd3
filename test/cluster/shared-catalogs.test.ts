import { expect, it } from "vitest";
import { pause } from "../../src/base/deadline.ts";
import { inTurn } from "../../src/cluster/shared-catalogs.ts";

it("changes of one cluster's roles wait for one another, whatever became of the one before; those of another cluster do not", async () => {
  const seen: string[] = [];
  const work = (cluster: string, name: string, ms: number) =>
    inTurn(cluster, async () => {
      seen.push(`${name} begins`);
      await pause(ms);
      seen.push(`${name} ends`);
      if (name === "a") throw new Error("failed");
    });
  const all = [work("one", "a", 60), work("one", "b", 0), work("two", "c", 0)];
  await Promise.allSettled(all);
  expect(seen).toEqual(["a begins", "c begins", "c ends", "a ends", "b begins", "b ends"]);
});
