import { describe, expect, it } from "vitest";
import { fail } from "../../../../src/errors/error.ts";
import { failed } from "../../../../src/reconcile/concerns/restarts/restarts.ts";
import { state as stateOf } from "../../../../src/store/records.ts";
import { newStore } from "../../../store/open.ts";
import { cluster, leading, member } from "../../world.ts";

const why = fail("postgres_start_failed", { machine: "a1", app: "pg", why: "port 5433 is taken" });

describe("a restart of all members in which one does not come back", () => {
  it("is over, and says why, once", async () => {
    const { store, end } = await newStore();
    const state = stateOf(store);
    const view = cluster([member("a1", leading)], { restarting: { done: [], floors: {} } });
    await state.clusters.create(view.cluster);
    await state.machines.create(member("a1", leading).record);
    const said: string[] = [];
    const context = { state, say: (_app: string, sentence: string) => void said.push(sentence) };
    const wished = async () => (await state.clusters.get({ app: "pg" }))?.restarting !== undefined;
    expect(await wished()).toBe(true);
    const step = { do: "restart", machine: "a1", of: "restart" } as const;
    await failed(step, context, why);
    expect(await wished()).toBe(false);
    expect(said.join()).toContain("port 5433 is taken");
    // Twice is the same as once.
    await failed(step, context, why);
    expect(said).toHaveLength(1);
    await end();
  });
});
