import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MachineRecord, SecretRecord } from "../../src/model/records.ts";
import type { RecordChange } from "../../src/store/collection.ts";
import { type State, state } from "../../src/store/records.ts";
import type { StoreUnderTest } from "./contract.ts";
import { newStore } from "./open.ts";
import { recorder } from "./recorder.ts";

const at = "2026-11-24T06:30:00.000Z";
const app = (name: string) => ({ name, kind: "app" as const, createdAt: at });
const secret = (of: string, name: string): SecretRecord => ({
  app: of,
  name,
  sealed: "QUJD",
  digest: "0123456789abcdef",
  updatedAt: at,
});
const attachment = (cluster: string, of: string, variable = "DATABASE_URL") => ({
  app: of,
  cluster,
  database: of,
  user: of,
  variable,
  superuser: false,
  scheme: "postgres" as const,
  phase: "creating" as const,
  made: { database: true, user: true },
  createdAt: at,
});
const machine: MachineRecord = {
  id: "3d8d",
  app: "pg",
  kind: "postgres",
  region: "ams",
  number: 16,
  address: "fdaa:1:2:1::10",
  phase: "ready",
  wanted: "started",
  process: { pid: 12, startTime: "34" },
  createdAt: at,
};

describe("a collection of records", () => {
  let under: StoreUnderTest;
  let s: State;
  beforeEach(async () => {
    under = await newStore();
    s = state(under.store);
  });
  afterEach(() => under.end());

  it("keeps each record under a key of its own fields", async () => {
    await s.network.create({ name: "default", prefix: "fdaa:1:2", nextMachine: 16, createdAt: at });
    await s.apps.create(app("web"));
    await s.machines.create(machine);
    await s.secrets.create(secret("web", "TOKEN"));
    await s.attachments.create(attachment("pg", "web"));
    const keys = (await under.store.range("")).entries.map((entry) => entry.key);
    expect(keys).toEqual([
      "apps/web",
      "attachments/pg/web/DATABASE_URL",
      "machines/3d8d",
      "network",
      "secrets/web/TOKEN",
    ]);
    expect(await s.machines.get({ id: "3d8d" })).toEqual(machine);
    expect(await s.network.get({})).toMatchObject({ prefix: "fdaa:1:2" });
  });

  it("creates a record once", async () => {
    expect(await s.apps.create(app("web"))).toBe(true);
    expect(await s.apps.create({ ...app("web"), kind: "cluster" })).toBe(false);
    expect(await s.apps.get({ name: "web" })).toEqual(app("web"));
  });

  it("finds nothing under names that nobody could have given", async () => {
    await s.secrets.create(secret("web", "TOKEN"));
    for (const name of ["", "a/b", "web/TOKEN", "\0", "\ud800", "x".repeat(100_000)]) {
      expect(await s.apps.get({ name })).toBeUndefined();
      expect(await s.secrets.list({ app: name })).toEqual([]);
    }
    expect(() => s.apps.put(app("a/b"))).toThrow(/cannot be part of a key/);
    expect(() => s.apps.put(app(""))).toThrow(/cannot be part of a key/);
  });

  it("lists in order what agrees with the given fields, first ones or not", async () => {
    for (const [cluster, of] of [
      ["pg", "web"],
      ["pg", "api"],
      ["pg2", "web"],
    ] as const)
      await s.attachments.create(attachment(cluster, of));
    const named = (records: { cluster: string; app: string }[]) =>
      records.map((record) => `${record.cluster} ${record.app}`);
    expect(named(await s.attachments.list())).toEqual(["pg api", "pg web", "pg2 web"]);
    expect(named(await s.attachments.list({ cluster: "pg" }))).toEqual(["pg api", "pg web"]);
    expect(named(await s.attachments.list({ app: "web" }))).toEqual(["pg web", "pg2 web"]);
    expect(named(await s.attachments.list({ cluster: "p" }))).toEqual([]);
    expect(named(await s.attachments.list({ cluster: "pg", app: "web", variable: "DATABASE_URL" }))).toEqual([
      "pg web",
    ]);
  });

  it("takes no longer name for a shorter one", async () => {
    await s.apps.create(app("web-2"));
    expect(await s.apps.list({ name: "web" })).toEqual([]);
  });

  it("loses no update when many are under way at once", async () => {
    await s.network.create({ name: "default", prefix: "fdaa:1:2", nextMachine: 16, createdAt: at });
    const updates = Array.from({ length: 50 }, () =>
      s.network.update({}, (old) => ({ ...old, nextMachine: old.nextMachine + 1 })),
    );
    const numbers = (await Promise.all(updates)).map((record) => record?.nextMachine);
    expect(new Set(numbers).size).toBe(50);
    expect(await s.network.get({})).toMatchObject({ nextMachine: 66 });
  });

  it("updates and removes nothing that is not there", async () => {
    expect(await s.apps.update({ name: "web" }, (old) => old)).toBeUndefined();
    expect(await s.apps.remove({ name: "web" })).toBe(false);
    await s.apps.create(app("web"));
    const removals = await Promise.all([s.apps.remove({ name: "web" }), s.apps.remove({ name: "web" })]);
    expect(removals.filter(Boolean)).toHaveLength(1);
  });

  it("does not rename by an update", async () => {
    await s.apps.create(app("web"));
    await expect(s.apps.update({ name: "web" }, (old) => ({ ...old, name: "api" }))).rejects.toMatchObject({
      code: "internal",
    });
  });

  it("watches from a snapshot on, with records for what was put and names for what was removed", async () => {
    await s.secrets.create(secret("web", "OLD"));
    const { revision, records } = await s.secrets.snapshot();
    expect(records).toHaveLength(1);
    const watched = recorder<RecordChange<SecretRecord, "app" | "name">>();
    await s.secrets.watch(revision, watched.record);
    await s.apps.create(app("web"));
    await s.secrets.create(secret("web", "NEW"));
    await s.secrets.remove({ app: "web", name: "OLD" });
    expect(await watched.until(2)).toEqual([
      { type: "put", revision: revision + 2, record: secret("web", "NEW") },
      { type: "delete", revision: revision + 3, of: { app: "web", name: "OLD" } },
    ]);
  });

  it("watches the one record of the network, too", async () => {
    const watched = recorder<object>();
    await s.network.watch(0, watched.record);
    await s.network.create({ name: "default", prefix: "fdaa:1:2", nextMachine: 16, createdAt: at });
    await s.network.remove({});
    expect(await watched.until(2)).toMatchObject([
      { type: "put", record: { name: "default" } },
      { type: "delete", of: {} },
    ]);
  });

  it("commits over several collections at once, or not at all", async () => {
    await s.apps.create(app("web"));
    await s.attachments.create(attachment("pg", "web"));
    const web = await s.apps.see({ name: "web" });
    const creating = await s.attachments.see(attachment("pg", "web"));
    if (web === undefined || creating === undefined) throw new Error("what was created is not there");
    const ready = s.attachments.put({ ...creating.record, phase: "ready" });
    const url = secret("web", "DATABASE_URL");
    const compare = [s.apps.still(web), s.attachments.still(creating), s.secrets.absent(url)];
    expect(await s.commit(compare, [ready, s.secrets.put(url)])).toMatchObject({ done: true });
    expect(await s.commit(compare, [s.apps.drop(web.record), s.secrets.drop(url)])).toEqual({ done: false });
    expect(await s.attachments.get(creating.record)).toMatchObject({ phase: "ready" });
    expect(await s.secrets.list({ app: "web" })).toEqual([url]);
  });

  it("says which record is damaged and how", async () => {
    const damaged: [string, string, RegExp][] = [
      ["apps/json", "{", /record apps\/json cannot be read: it is no JSON/],
      ["apps/kind", JSON.stringify({ ...app("kind"), kind: "other" }), /record apps\/kind cannot be read: kind: /],
      ["apps/less", JSON.stringify({ name: "less" }), /record apps\/less cannot be read: kind: /],
      ["apps/time", JSON.stringify({ ...app("time"), createdAt: "yesterday" }), /createdAt: /],
    ];
    for (const [key, value, why] of damaged) {
      await under.store.txn([], [{ put: key, value }]);
      const reading = s.apps.get({ name: key.slice("apps/".length) });
      await expect(reading).rejects.toMatchObject({ code: "state_damaged" });
      await expect(reading).rejects.toThrow(why);
    }
  });
});
