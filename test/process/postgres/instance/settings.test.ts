import { readdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ask } from "../../../../src/base/deadline.ts";
import { listSettings, pendingRestart, restartNeeded } from "../../../../src/postgres/sql/pg-settings.ts";
import { lastLogLines } from "../../../../src/postgres/instance/logs.ts";
import { reload, start, stop } from "../../../../src/postgres/instance/server.ts";
import { withSession } from "../../../../src/postgres/sql/session.ts";
import { trySettings } from "../../../../src/postgres/instance/validate-settings.ts";
import { installed, newLeader, passwords, settingsOf, settle, sql } from "../../../support/ground.ts";

const login = { user: "perch", password: passwords.superuser };

describe.each(await installed())("settings of PostgreSQL $major ($source)", async (binaries) => {
  const leader = await newLeader(binaries, "set");
  const attempt = (changes: Record<string, string>) =>
    trySettings(leader, { changes, settings: settingsOf(leader, undefined, changes) });

  it.each([
    ["nonsense", "1", "setting_unknown", "nonsense"],
    ["work mem", "1", "setting_unknown", "work mem"],
    ["port", "5432", "setting_managed", "network's"],
    ["HBA_FILE", "/etc/passwd", "setting_managed", "Perch"],
    ["include", "/etc/passwd", "setting_managed", "whole"],
    ["Include_If_Exists", "x.conf", "setting_managed", "whole"],
    ["include_dir", "/tmp", "setting_managed", "whole"],
    ["ssl_passphrase_command", "touch /tmp/x", "setting_managed", "authority"],
    ["include ", "/etc/passwd", "setting_unknown", "include "],
    ["include\n", "/etc/passwd", "setting_unknown", "include"],
    ["in\u0441lude", "/etc/passwd", "setting_unknown", "lude"],
    ["'include'", "/etc/passwd", "setting_unknown", "include"],
    ["log_file_mode", "0666", "setting_managed", "Perch"],
    ["huge_pages", "on", "setting_invalid", "huge pages"],
    ["shared_buffers", "128MB'\ninclude '/etc/passwd", "setting_invalid", "128MB"],
    ["shared_buffers", "banana", "setting_invalid", "banana"],
    ["work_mem", "1kB", "setting_invalid", "64"],
    ["max_connections", "0", "setting_invalid", "1 .. "],
    ["max_connections", "2", "setting_invalid", "superuser_reserved_connections"],
    ["log_min_messages", "loud", "setting_invalid", "debug5"],
    ["wal_level", "minimal", "setting_invalid", "max_wal_senders"],
    ["shared_preload_libraries", "no_such_library", "setting_invalid", "no_such_library"],
    ["shared_buffers", "900GB", "setting_invalid", "MB of shared memory"],
    ["block_size", "4096", "setting_invalid", "cannot be changed"],
    ["DateStyle", "it's", "setting_invalid", "DateStyle"],
  ])("refuse %s = %s", async (name, value, code, why) => {
    await expect(attempt({ [name]: value })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(why) as string,
    });
    expect((await readdir(leader.layout.root)).filter((entry) => entry.startsWith("trial"))).toEqual([]);
  });

  it("are taken when PostgreSQL would start with them, those of extensions and odd texts too", async () => {
    const at = performance.now();
    const changes = {
      work_mem: "32MB",
      "auto_explain.log_min_duration": "1s",
      "app.tenant": "none",
      session_preload_libraries: "auto_explain",
      restore_command: "false",
      search_path: `"we'ird", public\\`,
      statement_timeout: "0",
    };
    await expect(attempt(changes)).resolves.toBeUndefined();
    process.stderr.write(
      `PostgreSQL ${binaries.version}: settings tried in ${Math.round(performance.now() - at)} ms\n`,
    );
  });

  it("take effect by a reload or wait for a restart, and the catalog says which", async () => {
    const user = { work_mem: "33MB", max_connections: "222" };
    const names = Object.keys(user);
    expect(await withSession(leader, login, (session) => restartNeeded(session, names))).toEqual(["max_connections"]);
    expect(await settle(leader, undefined, user)).toBe("reload");
    expect(await reload(leader)).toBe(true);
    const pending = () =>
      withSession(leader, login, pendingRestart).then((found) => (found.length > 0 ? found : undefined));
    expect(await ask(pending, { everyMs: 20, withinMs: 5_000 })).toEqual(["max_connections"]);
    const shown = await withSession(leader, login, (session) =>
      listSettings(session, new Set(names), { names: [...names, "port", "enable_seqscan"] }),
    );
    expect(
      shown.map(({ name, value, unit, source, restart, pending: waits }) => ({
        name,
        value,
        unit,
        source,
        restart,
        waits,
      })),
    ).toEqual([
      { name: "enable_seqscan", value: "on", unit: null, source: "default", restart: false, waits: false },
      { name: "max_connections", value: "300", unit: null, source: "user", restart: true, waits: true },
      { name: "port", value: String(leader.port), unit: null, source: "perch", restart: true, waits: false },
      { name: "work_mem", value: "33792", unit: "kB", source: "user", restart: false, waits: false },
    ]);
    await stop(leader, "fast");
    await start(leader);
    expect(await sql(leader, "SELECT current_setting('max_connections') AS n")).toEqual([{ n: "222" }]);
    const [few, all] = await withSession(leader, login, async (session) => [
      await listSettings(session, new Set(names)),
      await listSettings(session, new Set(), { all: true }),
    ]);
    expect(few?.length).toBeLessThan(80);
    expect(all?.length).toBeGreaterThan(300);
  });

  it("and the server's log can be read back", async () => {
    await expect(sql(leader, "SELECT 1/0")).rejects.toMatchObject({ code: "sql_failed" });
    // The server has its lines written by a process of its own.
    const written = async () => (await lastLogLines(leader.layout.log, 5)).find((line) => line.level === "ERROR");
    const line = await ask(written, { everyMs: 10, withinMs: 5_000 });
    expect(line?.message).toBe("division by zero; statement: SELECT 1/0");
    expect(Math.abs(Date.now() - Date.parse(line?.at ?? ""))).toBeLessThan(60_000);
  });
});
