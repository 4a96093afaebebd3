import { describe, expect, it } from "vitest";
import {
  atLeast,
  configurationText,
  defaultSettings,
  managedSettings,
  type ServerFacts,
  serverSettings,
  slotSync,
} from "../../../src/postgres/instance/settings.ts";

const gigabyte = 1024 ** 3;
const facts: ServerFacts = {
  id: "148e123",
  major: 15,
  memoryBytes: 16 * gigabyte,
  diskBytes: 100 * gigabyte,
  listen: ["fdaa::1", "127.0.0.1"],
  port: 5433,
  socketDirectory: "/run/perch/x/pg/148e123",
  logDirectory: "/data/log",
  tlsDirectory: "/data/tls",
};

describe("the settings of a server", () => {
  it.each([
    ["with wal_level = logical, from PostgreSQL 17 on", 18, { wal_level: "logical" }, true],
    ["not below 17", 16, { wal_level: "logical" }, false],
    ["not without logical slots", 18, {}, false],
    [
      "not where reads on replicas may hold back nothing",
      18,
      { wal_level: "logical", hot_standby_feedback: "OFF" },
      false,
    ],
    ["not where that was said", 17, { wal_level: "logical", sync_replication_slots: "false" }, false],
    ["not where it was asked for and cannot work", 17, { sync_replication_slots: "on" }, false],
  ])("have replicas keep the leader's slots %s", (_title, major, user, kept) => {
    const settings = serverSettings({ ...facts, major }, user);
    expect(slotSync(major, user)).toBe(kept);
    expect(settings["sync_replication_slots"]).toBe(major < 17 ? undefined : kept ? "on" : "off");
    if (kept) expect(settings["hot_standby_feedback"]).toBe("on");
  });

  it.each([
    [
      1,
      10,
      {
        shared_buffers: "128MB",
        effective_cache_size: "512MB",
        work_mem: "4MB",
        max_wal_size: "256MB",
        max_slot_wal_keep_size: "1024MB",
      },
    ],
    [
      16,
      100,
      {
        shared_buffers: "512MB",
        effective_cache_size: "4096MB",
        work_mem: "8MB",
        max_wal_size: "2048MB",
        max_slot_wal_keep_size: "10240MB",
      },
    ],
    [
      1024,
      4000,
      {
        shared_buffers: "8192MB",
        effective_cache_size: "262144MB",
        work_mem: "64MB",
        max_wal_size: "4096MB",
        max_slot_wal_keep_size: "65536MB",
      },
    ],
  ])("fit a machine of %i GB with a disk of %i GB", (memory, disk, expected) => {
    expect(defaultSettings({ ...facts, memoryBytes: memory * gigabyte, diskBytes: disk * gigabyte })).toMatchObject(
      expected,
    );
  });

  it("name the leader where the server follows one, and nobody where it leads", () => {
    const follow = { connection: "host=fdaa::1", slot: "perch_x" };
    expect(defaultSettings({ ...facts, follow })).toMatchObject({
      primary_conninfo: "host=fdaa::1",
      primary_slot_name: "perch_x",
    });
    expect(defaultSettings(facts)).not.toHaveProperty("primary_conninfo");
  });

  it("hold only what the major knows", () => {
    expect(defaultSettings(facts)).not.toHaveProperty("allow_alter_system");
    expect(defaultSettings({ ...facts, major: 17 })).toHaveProperty("allow_alter_system", "off");
  });

  it("are the user's where he has a say, and Perch's where not", () => {
    const settings = serverSettings(facts, { work_mem: "1GB", Port: "1", listen_addresses: "*", jit: "off" });
    expect(settings).toMatchObject({
      work_mem: "1GB",
      port: "5433",
      listen_addresses: "fdaa::1,127.0.0.1",
      jit: "off",
    });
    expect(settings).not.toHaveProperty("Port");
  });

  it("cannot be turned by a user to where the server is not found any more", () => {
    for (const name of ["data_directory", "hba_file", "port", "ssl_key_file", "primary_conninfo", "log_destination"])
      expect(managedSettings).toHaveProperty(name);
  });
});

it("a standby has at least what its leader has", () => {
  const settings = { max_connections: "100", max_wal_senders: "16", work_mem: "4MB" };
  expect(atLeast(settings, { max_connections: 300, max_wal_senders: 10, max_worker_processes: 8 })).toEqual({
    max_connections: "300",
    max_wal_senders: "16",
    work_mem: "4MB",
    max_worker_processes: "8",
  });
});

describe("postgresql.conf", () => {
  it("quotes every value as PostgreSQL reads it back", () => {
    expect(configurationText({ a: "1", b: "it's", c: "C:\\x", "d.e": "two\nlines\t", f: "" })).toBe(
      "a = '1'\nb = 'it''s'\nc = 'C:\\\\x'\nd.e = 'two\\nlines\\t'\nf = ''\n",
    );
  });
});
