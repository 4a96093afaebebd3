import { utimesSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ask } from "../../../../../src/base/deadline.ts";
import type { Context } from "../../../../../src/cluster/context.ts";
import { monitors } from "../../../../../src/cluster/monitor.ts";
import { identify } from "../../../../../src/host/process/process.ts";
import { clusterSecrets } from "../../../../../src/model/secret.ts";
import { find } from "../../../../../src/postgres/instance/postmaster.ts";
import { certificateConcern } from "../../../../../src/reconcile/concerns/certificates/certificates.ts";
import type { Held } from "../../../../../src/reconcile/concerns/certificates/plan.ts";
import { state as stateOf } from "../../../../../src/store/records.ts";
import { sealedSecret } from "../../../../../src/vault/sealed-secret.ts";
import { newSecretKey } from "../../../../../src/vault/secret-key.ts";
import { vaultOf } from "../../../../../src/vault/vault.ts";
import { cluster, leading, member } from "../../../../reconcile/world.ts";
import { newStore } from "../../../../store/open.ts";
import { asPerch, home, installed, newLeader, passwords, place, settle } from "../../../../support/ground.ts";

/** The concern with a real server, turned by hand. Its authority vouches for whatever is there. */
describe("a server whose files were written by a perchd that was killed before it told it", async () => {
  const [binaries] = await installed();
  if (binaries === undefined) throw new Error("no PostgreSQL was found");
  const leader = await newLeader(binaries, "unread");
  const session = await asPerch(leader);
  const at = await newStore();
  const state = stateOf(at.store);
  const key = newSecretKey();
  const held = monitors(() => undefined);
  const process = await identify((await find(leader.layout))?.process.pid ?? 0);
  if (process === undefined) throw new Error("the server does not run");
  const view = cluster([member(leader.id, leading, { record: { portablePort: leader.port, process } })]);
  const machines = view.members.map(({ record }) => record);
  for (const record of machines) await state.machines.create(record);
  for (const [name, value] of [
    [clusterSecrets.operator, passwords.operator],
    [clusterSecrets.perch, passwords.superuser],
    [clusterSecrets.replicator, passwords.replication],
  ] as const)
    await state.commit([], [state.secrets.put(sealedSecret(key, "pg", name, value))]);
  const context = {
    home,
    place,
    state,
    vault: vaultOf(key, "/home/secret.key"),
    monitors: held,
    authority: { mark: "", trusted: "", due: () => false },
    say: () => undefined,
  } as unknown as Context;
  afterAll(async () => {
    await held.close();
    await session.close();
    await at.end();
  });

  const look = async (): Promise<boolean> => {
    const since = (_thing: string, _what: string, holds: boolean) => (holds ? 1 : undefined);
    const found = await certificateConcern.observe(context, view.cluster, session, { machines, since });
    const one = (found as ReadonlyMap<string, Held>).get(leader.id);
    return one?.unreadSince !== undefined;
  };
  const reload = () =>
    certificateConcern.apply(
      { do: "concern", concern: "certificate", what: "reload", thing: leader.id, machine: leader.id } as never,
      context,
      view,
    );
  const workMem = async () => (await session.query<{ work_mem: string }>("SHOW work_mem"))[0]?.work_mem;

  it("is told, and has the settings from then on", async () => {
    expect(await look(), "before anything was written").toBe(false);
    await settle(leader, undefined, { work_mem: "11MB" });
    expect(await look()).toBe(true);
    await reload();
    await ask(async () => ((await workMem()) === "11MB" ? true : undefined), { everyMs: 20, withinMs: 10_000 });
    expect(await workMem()).toBe("11MB");
    expect(await look()).toBe(false);
  });

  it("is told once where the clock was set back since, and its files are newer than anything it reads", async () => {
    const later = new Date(Date.now() + 3_600_000);
    utimesSync(join(leader.layout.tls, "server.crt"), later, later);
    expect(await look()).toBe(true);
    await reload();
    expect(await look()).toBe(false);
  });
});
