import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ask, pause } from "../../../../src/base/deadline.ts";
import { configure } from "../../../../src/postgres/instance/configure.ts";
import type { Member } from "../../../../src/postgres/instance/directory.ts";
import { boundLog, logBound } from "../../../../src/postgres/instance/log-bound.ts";
import { followLog } from "../../../../src/postgres/instance/logs.ts";
import { reload } from "../../../../src/postgres/instance/server.ts";
import { installed, newLeader, passwords, settingsOf, sql } from "../../../support/ground.ts";

const megabyte = 1024 * 1024;
const bound = { ...logBound, bytes: 2 * megabyte };

async function set(member: Member, changes: Record<string, string>): Promise<void> {
  await configure(member, {
    settings: { ...settingsOf(member), ...changes },
    networks: ["127.0.0.1/32", "::1/128"],
    slotSync: false,
    standby: false,
    replicationPassword: passwords.replication,
  });
  expect(await reload(member)).toBe(true);
}

const json = async (member: Member): Promise<string[]> =>
  (await readdir(member.layout.log)).filter((name) => name.endsWith(".json"));

async function bytesOf(member: Member): Promise<number> {
  const names = (await readdir(member.layout.log)).filter((name) => name.startsWith("postgresql-"));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(member.layout.log, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A line a millisecond, of a kilobyte each; a statement says a thousand at most, for it has a deadline. */
async function flood(member: Member, name: string, lines: number): Promise<void> {
  for (let from = 1; from <= lines; from += 1_000)
    await sql(
      member,
      `DO $$ BEGIN FOR i IN ${from}..${Math.min(lines, from + 999)} LOOP RAISE LOG '${name} % %', i, repeat('x', 1000); PERFORM pg_sleep(0.001); END LOOP; END $$`,
    );
}

describe.each(await installed())("the log of PostgreSQL $major ($source)", async (binaries) => {
  const leader = await newLeader(binaries, "log");

  it("is bounded while much is said, from the weekday file of 0.1.0 on, and who follows it misses no line", async () => {
    await set(leader, { log_filename: "postgresql-%a.log", log_rotation_size: "0", log_truncate_on_rotation: "on" });
    const weekday = /^postgresql-(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\.json$/;
    const old = await ask(async () => (await json(leader)).find((name) => weekday.test(name)), {
      everyMs: 20,
      withinMs: 10_000,
    });
    const stop = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const { message } of followLog(leader.layout.log, 0, stop.signal)) {
        const said = /^(before|after) \d+(?= x)/.exec(message)?.[0];
        if (said !== undefined) seen.push(said);
      }
    })();
    await pause(300);
    await flood(leader, "before", 500);
    await boundLog(leader.layout, { ...bound, bytes: 1 });
    expect(await json(leader), "it is being written").toContain(old);

    await set(leader, { log_rotation_size: "64kB" });
    let done = false;
    const flooding = flood(leader, "after", 6_000).finally(() => (done = true));
    const written = new Set<string>();
    let most = 0;
    while (!done) {
      for (const name of await json(leader)) written.add(name);
      await boundLog(leader.layout, bound);
      most = Math.max(most, await bytesOf(leader));
      await pause(100);
    }
    await flooding;
    await boundLog(leader.layout, bound);
    expect(await bytesOf(leader)).toBeLessThanOrEqual(bound.bytes);
    // One second's lines may be one file, and that one stays.
    expect(most).toBeLessThan(2 * bound.bytes);
    expect(written.size).toBeGreaterThan(4);
    expect(await json(leader)).not.toContain(old);

    const wanted = [
      ...Array.from({ length: 500 }, (_, n) => `before ${n + 1}`),
      ...Array.from({ length: 6_000 }, (_, n) => `after ${n + 1}`),
    ];
    await ask(() => Promise.resolve(seen.length >= wanted.length ? true : undefined), {
      everyMs: 50,
      withinMs: 10_000,
    });
    stop.abort();
    await following;
    expect(seen).toEqual(wanted);
  });
});
