import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { identify } from "../../../../src/host/process/process.ts";
import type { MachineRecord } from "../../../../src/model/records.ts";
import { forRuns, runsConcern } from "../../../../src/reconcile/network/runs/runs.ts";
import { state as stateOf } from "../../../../src/store/records.ts";
import { newStore } from "../../../store/open.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";
import { contextOf } from "../context.ts";

const run = (id: string, more: Partial<MachineRecord> = {}): MachineRecord => ({
  id,
  app: "web",
  kind: "run",
  region: "ams",
  number: 16,
  address: "fdaa:1:2:0:1::10",
  phase: "ready",
  wanted: "started",
  createdAt: "2026-01-02T03:04:05.678Z",
  ...more,
});

describe("what is done about runs", () => {
  it("forgets those whose process is gone, in one sentence, however many", () => {
    const dead = ["a", "b", "c", "d", "e"].map((id) => ({ id, app: "web" }));
    expect(forRuns({ dead, left: [] }).map(({ because }) => because)).toEqual([
      "forget 5 runs whose process is gone without a word: a of web, b of web, c of web and 2 more",
    ]);
    expect(forRuns({ dead: dead.slice(0, 1), left: [] })[0]?.because).toBe(
      "forget 1 run whose process is gone without a word: a of web",
    );
    expect(forRuns({ dead: [], left: [] })).toEqual([]);
  });

  it("finds the dead by pid and start time, and directories that are nobody's; a member and a region are none", async () => {
    const [alive, gone, reused, left] = ["11111111111111", "22222222222222", "33333333333333", "44444444444444"];
    const runtime = temporaryDirectory();
    for (const name of [alive, left, "ams"]) mkdirSync(join(runtime, "runs", name ?? ""), { recursive: true });
    const under = await newStore();
    const state = stateOf(under.store);
    const own = await identify(process.pid);
    if (own === undefined) throw new Error("this process has no identity");
    await state.machines.create(run(alive ?? "", { process: own }));
    await state.machines.create(run(gone ?? "", { process: { pid: 4_000_000, startTime: "1" } }));
    await state.machines.create(run(reused ?? "", { process: { ...own, startTime: "1" } }));
    await state.machines.create(run("member", { kind: "postgres" }));
    const context = contextOf({ state, runtime });
    const concern = runsConcern();
    const facts = await concern.observe(context);
    expect(facts).toMatchObject({ dead: [{ id: gone }, { id: reused }], left: [left] });
    const view = context.view;
    for (const { step } of concern.plan(view, facts)) await concern.apply(step, context, view);
    expect((await state.machines.list()).map(({ id }) => id)).toEqual([alive, "member"]);
    expect(readdirSync(join(runtime, "runs")).toSorted()).toEqual([alive, "ams"]);
    expect(concern.plan(view, await concern.observe(context))).toEqual([]);
  });
});
