import { afterEach, describe, expect, it } from "vitest";
import type { Context } from "../../src/cluster/context.ts";
import type { LeaderChange } from "../../src/model/records.ts";
import { operationsOf } from "../../src/reconcile/operations.ts";
import { state as stateOf } from "../../src/store/records.ts";
import { newStore } from "../store/open.ts";
import { cluster, leading, member, streaming } from "./world.ts";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A cluster in ams with a replica in lhr, of which that change was asked for. */
async function world(change: LeaderChange) {
  const { store, end } = await newStore();
  ends.push(end);
  const state = stateOf(store);
  const view = cluster([member("a1", leading), member("l1", streaming)], { change });
  await state.apps.create({ name: "pg", kind: "cluster", primaryRegion: "ams", createdAt: view.cluster.createdAt });
  await state.clusters.create(view.cluster);
  for (const { record } of view.members) await state.machines.create(record);
  const said: string[] = [];
  const say = (_app: string, sentence: string) => void said.push(sentence);
  // What leads a change writes records alone; the rest of the context is for the servers.
  const context = { state, say, overrides: new Map() } as unknown as Context;
  return {
    said,
    operations: operationsOf(context, view.cluster, []),
    now: async () => {
      const record = await state.clusters.get({ app: "pg" });
      return [record?.leader, (await state.apps.get({ name: "pg" }))?.primaryRegion, record?.change?.promote];
    },
  };
}

const asked = { kind: "switchover", to: "l1", because: "it was asked for" } as const;

describe("a change of leader with which the primary region moves", () => {
  it("is still one when the engine begins it, and moves the region with the leader, once", async () => {
    const { operations, now, said } = await world({ ...asked, promote: true });
    await operations.begin({ ...asked, because: "a replica leads" });
    expect(await now()).toEqual(["a1", "ams", true]);
    await operations.crown("l1", { whole: true });
    expect(await now()).toEqual(["l1", "lhr", undefined]);
    // A perchd that was killed in it does it once more.
    await operations.crown("l1", { whole: true });
    expect(await now()).toEqual(["l1", "lhr", undefined]);
    expect(said).toEqual(["the primary region of pg is lhr now, where its leader is"]);
  });

  it("moves no region where another member leads in the end, or that was not asked for", async () => {
    const other = await world({ ...asked, promote: true });
    await other.operations.crown("a1", { whole: true });
    expect(await other.now()).toEqual(["a1", "ams", undefined]);
    const plain = await world(asked);
    await plain.operations.crown("l1", { whole: true });
    expect(await plain.now()).toEqual(["l1", "ams", undefined]);
  });
});
