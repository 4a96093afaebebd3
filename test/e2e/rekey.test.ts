import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pause } from "../../src/base/deadline.ts";
import { type RunningProgram, succeeded } from "../support/perch.ts";
import { recordProcess } from "../support/processes.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, known } from "../support/traces.ts";
import { eventually, timed, worldIn } from "../support/world.ts";

/** A new key under a cluster in use. One story: each test goes on where the one before it ended. */
const loadScript = fileURLToPath(new URL("../support/load.ts", import.meta.url));
const many = 300;

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))("perch secrets rekey", () => {
  const world = worldIn();
  const { root, ok, json, perch } = world;
  const keyPath = join(root, "secret.key");
  const key = () => readFileSync(keyPath, "utf8");
  let load: RunningProgram;

  interface Load {
    counts: { fresh: number; long: number };
    failures: string[];
  }
  const seen = (): Load =>
    JSON.parse(load.stdout().trimEnd().split("\n").at(-1) || '{"counts":{"fresh":0,"long":0},"failures":[]}') as Load;
  const more = async (count: number) => {
    const { fresh, long } = seen().counts;
    await eventually(
      `the app asks on\n${load.stderr()}`,
      () => seen().counts.fresh >= fresh + count && seen().counts.long >= long + count,
    );
  };
  const secretsOf = (app: string) =>
    json<{ name: string; digest: string; updatedAt: string }[]>("secrets", "list", "-a", app);
  /** What a run has of the app's secrets. */
  const valuesIn = async (app: string) =>
    JSON.parse(await ok("run", "-a", app, "--", process.execPath, "-p", "JSON.stringify(process.env)")) as Record<
      string,
      string
    >;
  const wholeValues = async () => {
    const env = await valuesIn("box");
    return Array.from({ length: many }, (_, at) => env[`S${at}`]).every((value, at) => value === `value ${at}`);
  };
  const failsToStart = async (code: string) => {
    const ended = await perch(["up"]);
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining(`[${code}]`)]);
  };

  beforeAll(async () => {
    await ok("up");
    await world.create();
    for (const app of ["web", "box"]) await ok("apps", "create", app, "--region", "ams");
    await ok("postgres", "attach", "pg", "--app", "web");
    const lines = Array.from({ length: many }, (_, at) => `S${at}=value ${at}\n`).join("");
    succeeded(await perch(["secrets", "import", "-a", "box"], { input: lines }));
    load = await world.begin(["run", "-a", "web", "--watch", "--", process.execPath, "--import", "tsx", loadScript]);
    await recordProcess(load.pid);
    await more(20);
  });

  afterAll(async () => {
    load.kill("SIGTERM");
    await load.ended;
    await ok("down");
  });

  it("seals everything anew while the app asks on, and says what to do with the new key and with old copies", async () => {
    const [before, old] = [await secretsOf("web"), key()];
    const said = await ok("secrets", "rekey");
    expect(said).toContain(`${many + 6} values are sealed with a new key, in ${keyPath}; the old one is gone`);
    expect(said).toContain("Back the new key up now");
    expect(said).toContain("A perch.db that was copied before opens with the key of its time only");
    expect(key()).not.toBe(old);
    const after = await secretsOf("web");
    expect(after.map(({ name, updatedAt }) => [name, updatedAt])).toEqual(
      before.map(({ name, updatedAt }) => [name, updatedAt]),
    );
    expect(after[0]?.digest).not.toBe(before[0]?.digest);
    expect(await ok("events")).toContain(
      `every secret is sealed with a new key (${many + 6} values); the old key is gone`,
    );
    expect(await json("secrets", "rekey")).toEqual({ sealed: many + 6, key: keyPath });
    expect(await wholeValues()).toBe(true);
    await more(50);
    expect(seen().failures).toEqual([]);
    expect(load.stderr()).not.toContain("restarting the command");
  });

  it("loses nothing of what is set, rotated and attached at the same time", async () => {
    const apps = ["one", "two", "three"];
    const attaching = async () => {
      for (const app of apps) {
        await ok("apps", "create", app);
        await ok("postgres", "attach", "pg", "--app", app);
        await ok("postgres", "users", "rotate", app, "-a", "pg");
        await ok("secrets", "set", "-a", app, `TOKEN=token of ${app}`);
      }
    };
    const work = attaching();
    let over = false;
    work.finally(() => (over = true)).catch(() => undefined);
    let rekeyed = 0;
    for (; !over; rekeyed++) await world.client.call("rekey", {});
    await work;
    expect(rekeyed).toBeGreaterThan(10);
    await ok("secrets", "rekey");
    for (const app of apps) {
      expect((await valuesIn(app))["TOKEN"]).toBe(`token of ${app}`);
      expect(await ok("run", "-a", app, "--", "psql", "-Atc", "SELECT current_user")).toBe(`${app}\n`);
    }
  });

  it("is done or not done when perchd is killed at any moment, and the next perch up has one key that opens all", async () => {
    const { ms } = await timed("rekey", world.client.call("rekey", {}));
    const ends = { before: 0, after: 0 };
    const rounds = 12;
    for (let round = 0; round < rounds; round++) {
      const [old, perchd] = [key(), await known((await world.status()).daemon.pid)];
      const rekeying = world.client.call("rekey", {}).catch((error: unknown) => error);
      // From the first moment to the last: the last round lets it end.
      await (round === rounds - 1 ? rekeying : pause((ms * round) / (rounds - 2)));
      await killHard([perchd]);
      await rekeying;
      await ok("up");
      expect(await wholeValues()).toBe(true);
      ends[key() === old ? "before" : "after"]++;
    }
    process.stderr.write(`killed in rekey: ${JSON.stringify(ends)}\n`);
    expect(ends.before).toBeGreaterThan(0);
    expect(ends.after).toBeGreaterThan(0);
    await more(20);
    expect(seen().failures).toEqual([]);
    expect(load.stderr()).not.toContain("restarting the command");
  });

  it("heals a key file that was lost while perchd ran", async () => {
    rmSync(keyPath);
    await ok("secrets", "rekey");
    await killHard([await known((await world.status()).daemon.pid)]);
    await ok("up");
    expect(await wholeValues()).toBe(true);
  });

  it("leaves a perchd with a wrong, cut, empty or missing key an error that says so, and all goes on with the right one", async () => {
    const right = key();
    await killHard([await known((await world.status()).daemon.pid)]);
    const wrong: [string, string][] = [
      ["key_wrong", `${Buffer.alloc(32, 7).toString("base64")}\n`],
      ["key_damaged", right.slice(0, 30)],
      ["key_damaged", ""],
    ];
    for (const [code, text] of wrong) {
      writeFileSync(keyPath, text);
      await failsToStart(code);
      expect(key()).toBe(text);
    }
    rmSync(keyPath);
    await failsToStart("key_missing");
    writeFileSync(keyPath, right, { mode: 0o644 });
    await failsToStart("home_unsafe");
    rmSync(keyPath);
    writeFileSync(keyPath, right, { mode: 0o600 });
    await ok("up");
    expect(await wholeValues()).toBe(true);
    expect(await world.sql((await world.leader()).id, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });
});
