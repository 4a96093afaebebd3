import { describe, expect, it } from "vitest";
import type { Context } from "../../../../src/cluster/context.ts";
import { fail } from "../../../../src/errors/error.ts";
import type { FormerLoginRecord, RotationRecord } from "../../../../src/model/records.ts";
import { loginConcern } from "../../../../src/reconcile/concerns/logins/logins.ts";
import { withdraw } from "../../../../src/reconcile/concerns/logins/rotate.ts";
import type { ConcernStep } from "../../../../src/cluster/concern.ts";
import { state as stateOf } from "../../../../src/store/records.ts";
import { newStore } from "../../../store/open.ts";

const createdAt = "2026-11-25T11:00:00.000Z";
const until = "2026-11-26T11:00:00.000Z";
const of = { cluster: "pg", user: "web" };
const rotation: RotationRecord = { ...of, sealed: "AA==", login: "web.2", until, sooner: true, createdAt };
const step = { do: "concern", concern: "login", what: "rotate", thing: "web", ...of, logins: [] } as ConcernStep;

async function world(records: { rotation?: RotationRecord; former?: FormerLoginRecord }) {
  const at = await newStore();
  const state = stateOf(at.store);
  if (records.rotation !== undefined) await state.rotations.create(records.rotation);
  if (records.former !== undefined) await state.formerLogins.create(records.former);
  const kept = async () => ({ rotations: await state.rotations.list(), formers: await state.formerLogins.list() });
  return { state, context: { state } as unknown as Context, kept, end: at.end };
}

describe("a rotation that failed", () => {
  it("is given up where PostgreSQL refuses it, and the login that it may have made is a former one that has ended", async () => {
    const { context, kept, end } = await world({ rotation });
    const why = fail("user_not_found", { user: "web", app: "pg" });
    expect(await loginConcern.undo(step, context, why)).toBe(true);
    const { rotations, formers } = await kept();
    expect(rotations).toEqual([]);
    expect(formers).toEqual([expect.objectContaining({ cluster: "pg", login: "web.2", user: "web" })]);
    expect(Date.parse(formers[0]?.until ?? "")).toBeLessThanOrEqual(Date.now());
    expect(await loginConcern.undo(step, context, why), "twice").toBe(false);
    await end();
  });

  it("of a login that was a former one ends that one too, in place of what it had", async () => {
    const former = { cluster: "pg", login: "web.2", user: "web", until, runs: ["r1"], createdAt };
    const { state, kept, end } = await world({ rotation, former });
    expect(await withdraw(state, of)).toBe(true);
    const { formers } = await kept();
    expect(formers).toHaveLength(1);
    expect(formers[0]).not.toHaveProperty("runs");
    expect(Date.parse(formers[0]?.until ?? "")).toBeLessThanOrEqual(Date.now());
    await end();
  });

  it("of a user without an attachment leaves nothing", async () => {
    const { login: _none, until: _at, sooner: _or, ...alone } = rotation;
    const { state, kept, end } = await world({ rotation: alone });
    expect(await withdraw(state, of)).toBe(true);
    expect(await kept()).toEqual({ rotations: [], formers: [] });
    await end();
  });

  it("for another reason stays as it was written down: PostgreSQL may have the password", async () => {
    const { context, kept, end } = await world({ rotation });
    for (const why of [fail("sql_failed", { app: "pg", why: "gone" }), fail("disk_full", { path: "/data" })])
      expect(await loginConcern.undo(step, context, why)).toBe(false);
    expect(await kept()).toEqual({ rotations: [rotation], formers: [] });
    await end();
  });

  it("that is through is not withdrawn", async () => {
    const { state, kept, end } = await world({});
    expect(await withdraw(state, of)).toBe(false);
    expect(await kept()).toEqual({ rotations: [], formers: [] });
    await end();
  });
});
