import { describe, expect, it } from "vitest";
import { fail, type PerchError } from "../../src/errors/error.ts";
import type { ClusterRecord } from "../../src/model/records.ts";
import { settingsInForce } from "../../src/cluster/context.ts";
import { plan } from "../../src/reconcile/plan.ts";
import { changedSettings, startedWith, startOrTakeBack, takeBack } from "../../src/reconcile/take-back.ts";
import { state as stateOf } from "../../src/store/records.ts";
import { newStore } from "../store/open.ts";
import { cluster as viewOf, down, leading, member } from "./world.ts";

type Settings = Record<string, string>;

/** A cluster whose server starts with what `takes` says, and dies at once with anything else. */
async function worldWith(takes: (settings: Settings) => boolean, record: Partial<ClusterRecord>) {
  const at = await newStore();
  const state = stateOf(at.store);
  const first: ClusterRecord = { ...viewOf([member("a1", down)]).cluster, ...record };
  await state.clusters.create(first);
  const said: string[] = [];
  const begun: Settings[] = [];
  const takenBack = new Map<string, PerchError>();
  const context = { state, takenBack, say: (_subject: string, sentence: string) => void said.push(sentence) };
  const begin = (one: ClusterRecord): Promise<void> => {
    begun.push(settingsInForce(one));
    if (takes(settingsInForce(one))) return Promise.resolve();
    return Promise.reject(
      fail("postgres_start_failed", { machine: "a1", app: "pg", why: "could not set the cipher list" }),
    );
  };
  return {
    context,
    said,
    begun,
    takenBack,
    end: at.end,
    now: async () => (await state.clusters.get(first)) ?? first,
    change: (settings: Settings) => state.clusters.update(first, (one) => changedSettings(one, settings)),
    start: (machine = "a1", ended = true) =>
      startOrTakeBack(context, { cluster: first, machine }, begin, () => Promise.resolve(ended)),
    begin,
  };
}

const bad = (settings: Settings) => settings["ssl_ciphers"] === undefined;

describe("a change of settings", () => {
  it("is kept beside what stood before it until the leader has been started with it", async () => {
    const world = await worldWith(() => true, { settings: { work_mem: "4MB" } });
    await world.change({ work_mem: "8MB" });
    await world.change({ work_mem: "8MB", jit: "off" });
    expect(await world.now()).toMatchObject({
      settings: { work_mem: "8MB", jit: "off" },
      settingsBefore: { settings: { work_mem: "4MB" } },
    });
    await world.start("l1");
    expect(await world.now()).toHaveProperty("settingsBefore");
    await world.start();
    expect(await world.now()).not.toHaveProperty("settingsBefore");
    await world.end();
  });

  it("back to what stood before is none, and one that came meanwhile was not started with", async () => {
    const world = await worldWith(() => true, { settings: { jit: "on" } });
    await world.change({ jit: "off" });
    await world.change({ jit: "on" });
    expect(await world.now()).not.toHaveProperty("settingsBefore");
    await world.change({ jit: "off" });
    const read = await world.now();
    await world.change({ jit: "off", work_mem: "8MB" });
    await startedWith(world.context, read);
    expect((await world.now()).settingsBefore).toEqual({ settings: { jit: "on" } });
    await world.end();
  });

  it.each(["a1", "l1"])("with which %s does not start is taken back, with PostgreSQL's words", async (machine) => {
    const world = await worldWith(bad, { settings: { work_mem: "4MB" } });
    await world.change({ work_mem: "8MB", ssl_ciphers: "nonsense" });
    await world.start(machine);
    expect(world.begun).toEqual([{ work_mem: "8MB", ssl_ciphers: "nonsense" }, { work_mem: "4MB" }]);
    const now = await world.now();
    expect([now.settings, now.settingsBefore]).toEqual([{ work_mem: "4MB" }, undefined]);
    const sentence = `the change of ssl_ciphers, work_mem in pg was taken back, because PostgreSQL of machine ${machine} said: could not set the cipher list`;
    expect(world.said).toEqual([sentence]);
    expect(world.takenBack.get("pg")?.message).toBe(
      "the change of ssl_ciphers, work_mem in pg was taken back, because PostgreSQL said: could not set the cipher list",
    );
    await world.end();
  });

  it("is not to blame where PostgreSQL starts without it as little", async () => {
    const world = await worldWith(() => false, { settings: {} });
    await world.change({ work_mem: "8MB" });
    await expect(world.start()).rejects.toMatchObject({ code: "postgres_start_failed" });
    expect(world.begun).toEqual([{ work_mem: "8MB" }, {}]);
    expect(await world.now()).toMatchObject({ settings: { work_mem: "8MB" }, settingsBefore: { settings: {} } });
    expect([world.said, world.takenBack.size]).toEqual([[], 0]);
    await world.end();
  });

  it("is not taken back by a server that is only late, nor is one that the leader has been started with", async () => {
    const world = await worldWith(bad, { settings: {} });
    await world.change({ ssl_ciphers: "nonsense" });
    await expect(world.start("a1", false)).rejects.toMatchObject({ code: "postgres_start_failed" });
    await startedWith(world.context, await world.now());
    await expect(world.start()).rejects.toMatchObject({ code: "postgres_start_failed" });
    expect([world.begun.length, (await world.now()).settings]).toEqual([2, { ssl_ciphers: "nonsense" }]);
    await world.end();
  });

  it("is taken back by the perchd that comes after one that was killed half-way", async () => {
    const before = { settings: { jit: "off" }, refused: { machine: "a1", why: "it said no" } };
    const world = await worldWith(bad, { settings: { ssl_ciphers: "nonsense" }, settingsBefore: before });
    const view = (facts: typeof down) => {
      const seen = viewOf([member("a1", facts)]);
      return { ...seen, cluster: { ...seen.cluster, settingsBefore: before } };
    };
    // Killed before the start: that is what comes first; killed after it: it runs with them.
    expect(plan(view(down)).steps).toEqual([{ do: "start", machine: "a1" }]);
    expect(plan(view(leading)).steps).toEqual([{ do: "take-back" }]);
    await world.start();
    expect(world.begun).toEqual([{ jit: "off" }]);
    expect((await world.now()).settings).toEqual({ jit: "off" });
    await takeBack(world.context, "pg");
    expect(world.said).toHaveLength(1);
    await world.end();
  });
});
