import { describe, expect, it } from "vitest";
import { fail } from "../../../../src/errors/error.ts";
import { withPool } from "../../../../src/model/pool.ts";
import type { ClusterRecord, Pool } from "../../../../src/model/records.ts";
import { undo } from "../../../../src/reconcile/concerns/poolers/poolers.ts";
import { state as stateOf } from "../../../../src/store/records.ts";
import { newStore } from "../../../store/open.ts";
import { cluster, leading, member } from "../../world.ts";

const small: Pool = { mode: "session", size: 5, address: "fdaa:1:2:1::20" };
const large: Pool = { ...small, size: 50 };
const why = fail("pooler_failed", { address: "[fdaa:1:2:1::20]:6432", why: "the port is taken" });

/** What a step that fails leaves of a cluster for which that was asked. */
async function failed(change: (record: ClusterRecord) => ClusterRecord) {
  const { store, end } = await newStore();
  const state = stateOf(store);
  await state.clusters.create(change(cluster([member("a0", leading)]).cluster));
  const said: string[] = [];
  const undone = await undo({ app: "pg" }, { state, say: (_app, sentence) => void said.push(sentence) }, why);
  const { pool, poolBefore } = (await state.clusters.get({ app: "pg" })) ?? {};
  await end();
  return { undone, pool, poolBefore, said };
}

describe("a step on a pooler that fails", () => {
  it("takes back what was asked for, to none where there was none, and says why", async () => {
    const { undone, pool, poolBefore, said } = await failed((record) => withPool(record, large, "1.18.0"));
    expect([undone, pool, poolBefore]).toEqual([true, undefined, undefined]);
    expect(said.join()).toContain("the port is taken");
  });

  it("takes back to the pooler from before, past every wish in between", async () => {
    const twice = (record: ClusterRecord) =>
      withPool(withPool({ ...record, pool: small }, large, "1.18.0"), { ...large, size: 60 }, "1.18.0");
    expect(await failed(twice)).toMatchObject({ undone: true, pool: small, poolBefore: undefined });
  });

  it("is tried again where the pooler was whole once: what stands is never taken away", async () => {
    expect(await failed((record) => ({ ...record, pool: small }))).toEqual({
      undone: false,
      pool: small,
      poolBefore: undefined,
      said: [],
    });
  });
});
