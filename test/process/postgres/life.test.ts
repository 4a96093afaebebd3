import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ask } from "../../../src/base/deadline.ts";
import { occupants } from "../../../src/host/process/occupants.ts";
import { awaitEnd, identify, isSuspended, isTaken } from "../../../src/host/process/process.ts";
import { readControlFile } from "../../../src/postgres/instance/control-file.ts";
import { proveFarewell, type Proof, removeMember } from "../../../src/postgres/instance/data-removal.ts";
import { hasData } from "../../../src/postgres/instance/directory.ts";
import { initialise } from "../../../src/postgres/instance/initdb.ts";
import { find, pidFile } from "../../../src/postgres/instance/postmaster.ts";
import { start, stop } from "../../../src/postgres/instance/server.ts";
import { connect } from "../../../src/postgres/sql/session.ts";
import { asPerch, installed, newLeader, newMember, passwords, place, settle, sql } from "../../support/ground.ts";

describe.each(await installed())("the life of a server of PostgreSQL $major ($source)", (binaries) => {
  it("begins with initdb, and it starts, answers, restarts, is found again and stops", async () => {
    const at = performance.now();
    const member = await newLeader(binaries, "life");
    process.stderr.write(
      `PostgreSQL ${binaries.version}: initdb, start and roles in ${Math.round(performance.now() - at)} ms\n`,
    );
    await sql(member, "CREATE TABLE public.t AS SELECT generate_series(1, 100) AS n");

    const first = (await find(member.layout))?.process;
    expect(await start(member), "a second start finds the first").toEqual(first);
    expect(await stop(member, "fast")).toBe("fast");
    expect(await find(member.layout)).toBeUndefined();
    expect(await readControlFile(member.layout)).toMatchObject({ state: "shut down", timeline: 1 });
    expect(await stop(member, "fast")).toBe("not running");

    const again = performance.now();
    const second = await start(member);
    process.stderr.write(`PostgreSQL ${binaries.version}: started in ${Math.round(performance.now() - again)} ms\n`);
    expect(second).not.toEqual(first);
    expect(await find(member.layout)).toEqual({ process: second, status: "ready" });
    expect(await sql(member, "SELECT count(*)::int AS n FROM public.t")).toEqual([{ n: 100 }]);
  });

  it("has checksums, the C.UTF-8 order and its settings", async () => {
    const member = await newLeader(binaries, "made");
    const [row] = await sql<Record<string, string>>(
      member,
      `SELECT current_setting('data_checksums') AS checksums, current_setting('server_encoding') AS encoding, current_setting('cluster_name') AS name,
              current_setting('log_destination') AS log, datlocprovider::text AS provider, ('B' < 'a')::text AS order
         FROM pg_database WHERE datname = 'postgres'`,
    );
    expect(row).toEqual({
      checksums: "on",
      encoding: "UTF8",
      name: member.id,
      log: "jsonlog",
      provider: binaries.major >= 17 ? "b" : "c",
      order: "true",
    });
    const { systemIdentifier } = (await readControlFile(member.layout)) ?? {};
    expect(await sql(member, "SELECT system_identifier::text AS id FROM pg_control_system()")).toEqual([
      { id: String(systemIdentifier) },
    ]);
    expect(await settle(member), "twice is the same as once").toBe("nothing");
    const environment = await readFile(`/proc/${(await find(member.layout))?.process.pid}/environ`, "utf8");
    expect(
      environment
        .split("\0")
        .map((pair) => pair.split("=")[0])
        .filter((name) => name !== ""),
      "nothing of ours",
    ).toEqual(expect.arrayContaining(["PATH", "LC_ALL", "HOME"]));
    expect(environment).not.toContain("VITEST");
    await stop(member, "immediate");
    const proof = proveFarewell({ machine: member.id, destroying: true, whole: true, others: [], data: true });
    await removeMember(member, proof as Proof);
    expect(await hasData(member.layout)).toBe(false);
  });

  it("goes on after kill -9 of the postmaster, though a backend is still busy", async () => {
    const member = await newLeader(binaries, "killed");
    const session = await asPerch(member);
    // It computes, and so does not notice that its postmaster is gone.
    const busy = session
      .query("DO $$ DECLARE x bigint := 0; BEGIN FOR i IN 1..2000000000 LOOP x := x + i; END LOOP; END $$", [], 60_000)
      .catch((error: unknown) => error);
    const running = await find(member.layout);
    if (running === undefined) throw new Error("it does not run");
    process.kill(running.process.pid, "SIGKILL");
    await awaitEnd(running.process, 5_000);
    const at = performance.now();
    await start(member);
    process.stderr.write(
      `PostgreSQL ${binaries.version}: started after kill -9 in ${Math.round(performance.now() - at)} ms\n`,
    );
    await busy;
    expect(await sql(member, "SELECT 1 AS n")).toEqual([{ n: 1 }]);
  });

  it("stops in order, at once, though a signal had stopped all of its processes", async () => {
    const member = await newLeader(binaries, "held");
    const held = await occupants(member.layout.data, "postgres");
    for (const { pid } of held) process.kill(pid, "SIGSTOP");
    await ask(async () => ((await Promise.all(held.map(isSuspended))).includes(false) ? undefined : true), {
      everyMs: 5,
      withinMs: 5_000,
    });
    const at = performance.now();
    expect(await stop(member, "fast")).toBe("fast");
    expect(performance.now() - at).toBeLessThan(20_000);
    expect(await readControlFile(member.layout)).toMatchObject({ state: "shut down" });
  });

  it("survives lock files whose numbers are now someone else's", async () => {
    const member = await newLeader(binaries, "stale");
    const text = await readFile(join(member.layout.data, pidFile), "utf8");
    await stop(member, "fast");
    const [program = "", ...rest] = place.server(["sleep", "60"]);
    const stranger = spawn(program, rest, { stdio: "ignore" });
    try {
      const identity = await identify(stranger.pid ?? 0);
      await writeFile(join(member.layout.data, pidFile), text.replace(/^\d+/, String(stranger.pid)));
      await writeFile(
        join(member.layout.sockets, `.s.PGSQL.${member.port}.lock`),
        `${stranger.pid}\n${member.layout.data}\n1764000000\n`,
      );
      expect(await find(member.layout)).toBeUndefined();
      expect(await stop(member, "fast")).toBe("not running");
      await start(member);
      expect(await identify(stranger.pid ?? 0), "the stranger was left alone").toEqual(identity);
    } finally {
      stranger.kill("SIGKILL");
    }
  });

  it("starts again though nobody has waited for the postmaster that was killed", async () => {
    const member = await newLeader(binaries, "zombie");
    const text = await readFile(join(member.layout.data, pidFile), "utf8");
    await stop(member, "fast");
    // The shell's child ends when its input does, under a parent that never waits for children.
    const [program = "", ...rest] = place.server(["sh", "-c", "exec 3<&0; (read line <&3) & echo $!; exec sleep 60"]);
    const parent = spawn(program, rest, { stdio: ["pipe", "pipe", "ignore"] });
    try {
      const [said] = (await once(parent.stdout, "data")) as [Buffer];
      const pid = Number(said.toString());
      const hasBecome = async () =>
        (await readFile(`/proc/${parent.pid}/comm`, "utf8")) === "sleep\n" ? true : undefined;
      expect(await ask(hasBecome, { everyMs: 10, withinMs: 5_000 })).toBe(true);
      parent.stdin.end();
      expect(
        await ask(async () => ((await identify(pid)) === undefined ? true : undefined), {
          everyMs: 10,
          withinMs: 5_000,
        }),
      ).toBe(true);
      expect(isTaken(pid), "its number is still in use").toBe(true);
      await writeFile(join(member.layout.data, pidFile), text.replace(/^\d+/, String(pid)));
      const at = performance.now();
      await start(member);
      expect(isTaken(pid), "it started though the number is in use").toBe(true);
      process.stderr.write(
        `PostgreSQL ${binaries.version}: started over a zombie in ${Math.round(performance.now() - at)} ms\n`,
      );
    } finally {
      parent.kill("SIGKILL");
    }
  });

  it("that cannot start says why, with the server's own words", async () => {
    const member = await newLeader(binaries, "wrong");
    await stop(member, "fast");
    await settle(member, undefined, { shared_preload_libraries: "no_such_library" });
    await expect(start(member)).rejects.toMatchObject({
      code: "postgres_start_failed",
      message: expect.stringContaining("no_such_library") as string,
    });
    await settle(member);
    await start(member);
    const other = { ...(await newMember(binaries, "taken")), port: member.port };
    await initialise(other, { password: passwords.operator });
    await settle(other);
    await expect(start(other)).rejects.toMatchObject({
      code: "postgres_start_failed",
      message: expect.stringMatching(/in use/i) as string,
    });
  });

  it("ends before it began when initdb is interrupted, and leaves nothing", async () => {
    for (const afterMs of [0, 20, 100, 250]) {
      const member = await newMember(binaries, `cut${afterMs}x`);
      const signal = AbortSignal.timeout(afterMs);
      await expect(initialise(member, { password: passwords.operator, signal })).rejects.toMatchObject({
        code: "cancelled",
      });
      expect(await readdir(member.layout.root)).toEqual(
        expect.not.arrayContaining([expect.stringContaining("data"), "initdb-password"]) as string[],
      );
    }
  });

  it("tells at once when a connection's server died, and refuses a wrong password without repeating it", async () => {
    const member = await newLeader(binaries, "told");
    const session = await asPerch(member);
    await stop(member, "immediate");
    await session.ended;
    await start(member);
    const wrong = connect(member, { user: "perch", password: "not-the-password" });
    await expect(wrong).rejects.toMatchObject({
      code: "sql_failed",
      message: expect.not.stringContaining("not-the-password") as string,
    });
  });

  it("is left to go on when the caller stops waiting for it", async () => {
    const member = await newLeader(binaries, "left");
    await stop(member, "fast");
    await expect(start(member, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "cancelled" });
    expect(await start(member)).toMatchObject({ pid: expect.any(Number) as number });
  });

  it("gives up a query that takes longer than it may", async () => {
    const member = await newLeader(binaries, "slow");
    const session = await asPerch(member);
    await expect(session.query("SELECT pg_sleep(30)", [], 200)).rejects.toMatchObject({
      code: "sql_failed",
      message: expect.stringContaining("0.2 s") as string,
    });
    await session.ended;
  });
});
