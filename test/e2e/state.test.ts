import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { describe, expect, it } from "vitest";
import type { Status } from "../../src/api/schemas.ts";
import { knownSchema } from "../../src/store/sqlite/schema.ts";
import { change, copyInto, recordsIn, releasedVersions, schemaIn, sealedIn } from "../store/copies.ts";
import { worldIn } from "../support/world.ts";

/**
 * perchd on a state that another version wrote, or that something damaged. In portable mode, which needs nothing: what
 * is asked is about the state alone.
 */
describe.each(releasedVersions)("the state of Perch %s", (version) => {
  it("is taken up by this perchd: what was there is there, and its secrets open", async () => {
    const world = worldIn();
    const { ok, json, root } = world;
    const path = copyInto(root, version);
    // What 0.1.0 let users set and this one keeps for itself: words of configuration files, and a setting of
    // PostgreSQL.
    change(
      path,
      `UPDATE kv SET value = json_set(value, '$.settings.include', '/etc/x', '$.settings.LOG_FILENAME', 'x') WHERE key = 'clusters/pg'`,
    );
    const before = recordsIn(path);
    const sealed = sealedIn(version);
    await ok("up", "--portable");

    const { clusters, apps } = await json<Status>("status");
    expect(apps.map(({ name }) => name)).toEqual(["web"]);
    expect(clusters.map(({ name, members, attachments }) => [name, members.length, attachments.length])).toEqual([
      ["pg", 2, 2],
    ]);
    expect(await json("tokens", "list")).toMatchObject([{ name: "ci", scope: "deploy", app: "web" }]);
    expect(await json("wireguard", "list")).toMatchObject([{ name: "laptop" }]);
    expect(await ok("remote", "status")).toContain("perch.example.com");
    expect(await ok("postgres", "exposures")).toContain("db.example.com");
    const events = await ok("events", "-n", "1000");
    expect(events).toContain("this state was kept");
    expect(
      events.split(
        "were dropped: include (it is a word of configuration files, which Perch writes whole), LOG_FILENAME (perch logs",
      ),
    ).toHaveLength(2);
    // In portable mode a URL leads to a port of this host; the password in it is the sealed one.
    const [apiKey, url] = (
      await ok("run", "-a", "web", "--", "sh", "-c", 'printf "%s\\n%s" "$API_KEY" "$DATABASE_URL"')
    ).split("\n");
    expect(apiKey).toBe(sealed["web/API_KEY"]);
    expect(new URL(url ?? "").password).toBe(new URL(sealed["web/DATABASE_URL"] ?? "").password);

    await ok("down");
    const after = recordsIn(path);
    expect(schemaIn(path)).toBe(knownSchema);
    expect(Object.keys(after)).toEqual(expect.arrayContaining(Object.keys(before)));
    // Only these live on their own: the number of the next machine, the change of leader and of key that were under
    // way, processes that are gone.
    const still = (records: Record<string, unknown>) =>
      Object.entries(records)
        .filter(([key]) => key in before && !["network", "key", "clusters/pg"].includes(key))
        .map(([key, record]) => [key, { ...(record as object), process: undefined }]);
    expect(still(after)).toEqual(still(before));
    expect(Object.keys((after["clusters/pg"] as { settings: object }).settings)).toEqual(["work_mem"]);
    expect(after["network"]).toMatchObject({
      prefix: "fdaa:3f9a:12bc",
      hostAccess: true,
      wireguard: (before["network"] as { wireguard: object }).wireguard,
    });
  });
});

describe("a state that this perchd cannot take up", () => {
  const version = releasedVersions.at(-1) ?? "";
  const bytesOf = (path: string): unknown => readFileSync(path);
  /** What `perch up` says, and that it left the state as it was. */
  async function refused(spoil: (path: string) => void, stateOf = bytesOf): Promise<string> {
    const { root, perch, home } = worldIn();
    const path = copyInto(root, version);
    spoil(path);
    const before = stateOf(path);
    const { code, stdout, stderr } = await perch(["up", "--portable"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stateOf(path)).toEqual(before);
    expect(existsSync(home.daemonFile)).toBe(false);
    expect(existsSync(home.socket)).toBe(false);
    return stderr;
  }

  it("is one with a newer schema", async () => {
    const said = await refused((path) => change(path, `UPDATE meta SET value = ${knownSchema + 1}`));
    expect(said).toContain(
      `was written by a newer Perch: it has schema ${knownSchema + 1}, this one knows ${knownSchema} [state_newer]`,
    );
    expect(said).toContain("Next: Start the version that wrote it, or a newer one; nothing was changed.");
  });

  it("is one with a record or a field of a newer version", async () => {
    const field = await refused(
      (path) => change(path, `UPDATE kv SET value = json_set(value, '$.zone', 'a') WHERE key = 'machines/m1'`),
      recordsIn,
    );
    expect(field).toContain(
      "record machines/m1 was written by a newer Perch: this one knows no field zone of it [state_newer]",
    );
    const kind = await refused((path) => change(path, `INSERT INTO kv SELECT 'volumes/v1', '{}', 99, 99`), recordsIn);
    expect(kind).toContain(
      "record volumes/v1 was written by a newer Perch: this one knows no such record [state_newer]",
    );
  });

  it.each<[how: string, spoil: (path: string) => void]>([
    ["cut short", (path) => truncateSync(path, Math.floor(statSync(path).size / 2 / 4096) * 4096)],
    ["cut within a page", (path) => truncateSync(path, 5_000)],
    ["garbage", (path) => writeFileSync(path, Buffer.alloc(20_000, "not what it was "))],
    ["one with a wrong page", (path) => overwrite(path, 4096 * 2)],
    ["one with a wrong head", (path) => overwrite(path, 0)],
  ])("is %s, and it says what to restore", async (_how, spoil) => {
    expect(await refused(spoil)).toMatch(/\[state_damaged\]\nNext: Restore perch\.db and secret\.key from your backup/);
  });
});

function overwrite(path: string, at: number): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, at);
  closeSync(file);
}
