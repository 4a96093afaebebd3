import { afterAll, describe, expect, it } from "vitest";
import type { Context } from "../../../../../src/cluster/context.ts";
import { monitors } from "../../../../../src/cluster/monitor.ts";
import { toPerchError } from "../../../../../src/errors/error.ts";
import type { AttachmentRecord, RotationRecord } from "../../../../../src/model/records.ts";
import { clusterSecrets } from "../../../../../src/model/secret.ts";
import { giveLogin, loginStates } from "../../../../../src/postgres/sql/logins.ts";
import { createUser, existing } from "../../../../../src/postgres/sql/roles.ts";
import { loginConcern } from "../../../../../src/reconcile/concerns/logins/logins.ts";
import { plan } from "../../../../../src/reconcile/plan.ts";
import { state as stateOf } from "../../../../../src/store/records.ts";
import { rotationContext } from "../../../../../src/vault/sealed.ts";
import { sealedSecret } from "../../../../../src/vault/sealed-secret.ts";
import { newSecretKey } from "../../../../../src/vault/secret-key.ts";
import { vaultOf } from "../../../../../src/vault/vault.ts";
import { cluster, leading, member } from "../../../../reconcile/world.ts";
import { newStore } from "../../../../store/open.ts";
import { asApp, asPerch, home, installed, newLeader, passwords, place } from "../../../../support/ground.ts";

const createdAt = "2026-11-25T11:00:00.000Z";
const day = new Date(Date.now() + 86_400_000).toISOString();

/** The concern with a real server and a real store, turned by hand as the loop turns it. */
describe("the logins of a cluster, made so by the loop", async () => {
  const [binaries] = await installed();
  if (binaries === undefined) throw new Error("no PostgreSQL was found");
  const leader = await newLeader(binaries, "rotated");
  const session = await asPerch(leader);
  const at = await newStore();
  const state = stateOf(at.store);
  const key = newSecretKey();
  const held = monitors(() => undefined);
  const said: string[] = [];
  const context = {
    home,
    place,
    state,
    vault: vaultOf(key, "/home/secret.key"),
    monitors: held,
    consoles: { hold: () => Promise.resolve(undefined) },
    say: (_subject: string, sentence: string, by = "perch") => void said.push(`${by}: ${sentence}`),
  } as unknown as Context;
  const view = cluster([member(leader.id, leading, { record: { portablePort: leader.port } })]);
  for (const { record } of view.members) await state.machines.create(record);
  for (const [name, value] of [
    [clusterSecrets.operator, passwords.operator],
    [clusterSecrets.perch, passwords.superuser],
    [clusterSecrets.replicator, passwords.replication],
  ] as const)
    await state.commit([], [state.secrets.put(sealedSecret(key, "pg", name, value))]);
  afterAll(async () => {
    await held.close();
    await session.close();
    await at.end();
  });

  const sight = { machines: view.members.map(({ record }) => record), since: () => undefined };

  /** What the loop does until nothing is left to do; gives what it did. */
  async function turn(): Promise<string[]> {
    const done: string[] = [];
    for (let pass = 0; pass < 10; pass++) {
      const found = await loginConcern.observe(context, view.cluster, session, sight);
      const seen = { ...view, found: new Map([["login", found]]) };
      const steps = plan(seen, [loginConcern]).steps.flatMap((step) => (step.do === "concern" ? [step] : []));
      if (steps.length === 0) return done;
      for (const step of steps) {
        done.push(`${step.what} ${step.thing}`);
        await loginConcern.apply(step, context, seen).catch((error: unknown) => {
          done.push(toPerchError(error).code);
          return loginConcern.undo(step, context, toPerchError(error));
        });
      }
    }
    throw new Error(`it does not come to an end: ${done.join(", ")}`);
  }

  const attach = async (user: string) => {
    await createUser(session, { name: user, password: "password-1" });
    const record: AttachmentRecord = {
      app: user,
      cluster: "pg",
      database: user,
      user,
      variable: "DATABASE_URL",
      superuser: false,
      scheme: "postgres",
      phase: "ready",
      made: { database: false, user: true },
      createdAt,
    };
    await state.attachments.create(record);
    return record;
  };
  const want = async (user: string, more: Partial<RotationRecord> = {}) => {
    const of = { cluster: "pg", user };
    const sealed = key.seal(rotationContext(of), "password-2");
    const wish = { ...of, sealed, login: `${user}.2`, until: day, createdAt, ...more };
    await state.rotations.create(wish);
  };
  const come = async (user: string, password: string) =>
    (await asApp(leader, { user, password })).close().then(() => "in", String);

  it("get the password that is asked for: PostgreSQL, the secret and the attachment have it, and the one before has an end", async () => {
    const record = await attach("web");
    await want("web", { by: "uid 1000 (ann)" });
    expect(await turn()).toEqual(["rotate web", "limit web (former)"]);
    expect(await come("web.2", "password-2")).toBe("in");
    expect(await loginStates(session, ["web"])).toEqual([{ login: "web", until: day, ended: false }]);
    const secret = await state.secrets.get({ app: "web", name: "DATABASE_URL" });
    expect(key.open("web/DATABASE_URL", secret?.sealed ?? "")).toContain("web.2:password-2@");
    expect(await state.attachments.get(record)).toMatchObject({ login: "web.2" });
    expect(await state.rotations.list()).toEqual([]);
    expect(said.at(-1)).toBe(
      `uid 1000 (ann): user web of pg has a new password and logs in as web.2 with it; web has the URL; the old one works until ${day}`,
    );
  });

  it("are gone on with where perchd was killed after PostgreSQL had the password, and before the secret did", async () => {
    await attach("half");
    await want("half");
    await giveLogin(session, { user: "half", login: "half.2", password: "password-2" });
    expect(await turn()).toEqual(["rotate half", "limit half (former)"]);
    expect(await come("half.2", "password-2")).toBe("in");
    expect(said.at(-1)).toMatch(/^perch: user half of pg has a new password/);
  });

  it("killed there are undone where somebody has dropped the role meanwhile: the login that has a password is gone, too", async () => {
    await attach("lost");
    await want("lost");
    await giveLogin(session, { user: "lost", login: "lost.2", password: "password-2" });
    await session.query("DROP ROLE lost");
    expect(await turn()).toEqual(["rotate lost", "user_not_found", "end lost (former)", "remove lost (ended)"]);
    expect(await existing(session, ["lost", "lost.2"])).toEqual([]);
    expect([await state.rotations.list(), await state.formerLogins.list({ cluster: "pg", login: "lost.2" })]).toEqual([
      [],
      [],
    ]);
  });

  it("that a rotation has taken meanwhile are not ended by what was seen before it", async () => {
    const record = await attach("again");
    const found = { cluster: "pg", login: "again.2", user: "again", until: createdAt, createdAt };
    await state.formerLogins.create(found);
    await giveLogin(session, { user: "again", login: "again.2", password: "password-0" });
    const before = await loginConcern.observe(context, view.cluster, session, sight);
    const seen = { ...view, found: new Map([["login", before]]) };
    await want("again", { until: createdAt });
    expect(await turn()).toContain("rotate again");
    for (const step of plan(seen, [loginConcern]).steps)
      if (step.do === "concern") await loginConcern.apply(step, context, seen);
    expect(await come("again.2", "password-2")).toBe("in");
    expect(await state.attachments.get(record)).toMatchObject({ login: "again.2" });
  });
});
