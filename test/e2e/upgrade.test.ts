import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Status } from "../../src/api/schemas.ts";
import { freePort } from "../../src/host/sockets/ports.ts";
import { asking, askingApp } from "../support/asking.ts";
import { perchIn, start, succeeded } from "../support/perch.ts";
import { missingTools } from "../support/tools.ts";
import { type Found, known, processesOf } from "../support/traces.ts";
import { installAs, thisVersion } from "../support/versions.ts";
import { eventually, timed, worldIn } from "../support/world.ts";

/**
 * Another version of Perch takes the place of the one that runs, and nobody who asks notices. One story: each test goes
 * on where the one before it ended.
 */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql", "pgbouncer"))(
  "perch up of another version",
  () => {
    const world = worldIn();
    const { root, ok } = world;
    const next = installAs("9.9.9");
    const nextPerch = perchIn(root, {}, next.main);
    const { add, more, failures, counts, end } = asking();
    let byTheDoor: pg.ClientConfig;
    /** A connection through the public door that stays. */
    let outside: pg.Client;
    const broken: string[] = [];

    /** Those of a kind by their command: `dns/main`, `ingress/main`, `pgbouncer`. */
    const running = async (what: string): Promise<Found[]> =>
      (await processesOf(root)).filter(({ command }) => command.includes(what));
    const pids = (found: readonly Found[]) => found.map(({ pid }) => pid).toSorted((a, b) => a - b);
    const servers = async () => (await world.cluster()).members.map(({ id, pid, role }) => `${id} ${pid} ${role}`);
    const outsideSession = async () =>
      (await outside.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows[0]?.pid;
    const version = async () => (JSON.parse(succeeded(await nextPerch(["status", "--json"]))) as Status).daemon.version;

    beforeAll(async () => {
      await ok("up");
      await world.create();
      await ok("machine", "clone", (await world.leader()).id, "--region", "lhr");
      await ok("postgres", "pool", "on", "-a", "pg");
      const port = (await freePort()) ?? 0;
      await ok("postgres", "expose", "-a", "pg", "--hostname", "db.example.com", "--listen", `127.0.0.1:${port}`);
      await ok("apps", "create", "web");
      await ok("postgres", "attach", "pg", "--app", "web");
      const pooled = [
        "--pooled",
        "--variable-name",
        "POOLED_URL",
        "--database-user",
        "pooled",
        "--database-name",
        "pooled",
      ];
      await ok("postgres", "attach", "pg", "--app", "web", ...pooled);
      const { username, password, pathname } = new URL(
        (await ok("run", "-a", "web", "--", "sh", "-c", 'echo "$DATABASE_URL"')).trim(),
      );
      byTheDoor = {
        host: "127.0.0.1",
        port,
        user: username,
        password,
        database: pathname.slice(1),
        ssl: { rejectUnauthorized: false },
      };
      outside = new pg.Client(byTheDoor);
      outside.on("error", (error) => broken.push(error.message));
      await eventually("somebody comes in by the public door", () => outside.connect().then(() => true), 20_000);
      for (const url of ["DATABASE_URL", "POOLED_URL"])
        await add(await world.begin(["run", "-a", "web", "--", "sh", "-c", askingApp(url)]));
      await more(20);
    });

    afterAll(async () => {
      await end();
      await ok("down");
    });

    it("is asked for by every command of it, until it was typed", async () => {
      const said = await nextPerch(["status", "--json"]);
      expect(said).toMatchObject({ code: 0 });
      expect(said.stderr).toBe(
        `perchd is version ${thisVersion}, this perch is 9.9.9: to put this one in its place, type: perch up\n`,
      );
      expect((JSON.parse(said.stdout) as Status).daemon.version).toBe(thisVersion);
      expect((await world.perch(["status"])).stderr).toBe("");
    });

    it.each([
      ["up", "9.9.9"],
      ["back down again", thisVersion],
    ])(
      "takes the place of the one that runs, %s, and no query fails and no name is unanswered, over 5432 and 6432, new and old connections",
      async (_way, to) => {
        const perch = to === thisVersion ? world.perch : nextPerch;
        const before = {
          servers: await servers(),
          doors: pids(await running("ingress/main")),
          poolers: pids(await running("pgbouncer")),
        };
        const [names] = await running("dns/main");
        const session = await outsideSession();
        const { daemon } = await world.status();
        const perchd = await known(daemon.pid);

        await more(20);
        const { value, ms } = await timed(`perch up of ${to}`, perch(["up"]));
        expect(succeeded(value)).toMatch(
          new RegExp(`^Perch is up, ${to} in place of ${daemon.version} \\(perchd \\d+, `),
        );
        expect(ms).toBeLessThan(30_000);
        await more(100);
        expect(failures()).toEqual([]);

        expect({ session: await outsideSession(), broken }).toEqual({ session, broken: [] });

        expect(await version()).toBe(to);
        expect((await world.status()).daemon.pid).not.toBe(perchd.pid);
        expect(await processesOf(root).then((all) => all.some(({ pid }) => pid === perchd.pid))).toBe(false);
        expect({
          servers: await servers(),
          doors: pids(await running("ingress/main")),
          poolers: pids(await running("pgbouncer")),
        }).toEqual(before);
        // The name server is of the new version, too, and the only one.
        await eventually("the name server of before has ended", async () => (await running("dns/main")).length === 1);
        expect((await running("dns/main"))[0]?.pid).not.toBe(names?.pid);
        await eventually("the replica streams", async () => (await world.replica()).state === "streaming");
        expect(
          (await world.json<{ kind: string }[]>("machine", "list")).filter(({ kind }) => kind === "run"),
        ).toHaveLength(2);
      },
    );

    it("killed half-way is gone on with by the next one, and nobody who asks has noticed", async () => {
      const before = await servers();
      const begun = await start([process.execPath, next.main, "up"], { env: { PERCH_HOME: root } });
      await eventually("it has begun", () => begun.stderr().includes(`perchd ${thisVersion} hands over to 9.9.9`));
      begun.kill("SIGKILL");
      await begun.ended;
      await eventually("the next one is through", async () => (await nextPerch(["up"])).code === 0);
      expect(await version()).toBe("9.9.9");
      await more(50);
      expect(failures()).toEqual([]);
      expect(await servers()).toEqual(before);
    });

    it("replaces the public door only where the door's own program says so, and then others come in again", async () => {
      const other = installAs("9.9.10", {
        "ingress/settings.ts": (text) => text.replace("generation = 1", "generation = 2"),
      });
      const doors = pids(await running("ingress/main"));
      succeeded(await perchIn(root, {}, other.main)(["up"]));
      await eventually("it is another one", async () => {
        const now = pids(await running("ingress/main"));
        return now.length === 1 && now[0] !== doors[0];
      });
      const { answer } = await eventually("somebody comes in", async () => {
        const client = new pg.Client(byTheDoor);
        client.on("error", () => undefined);
        return client.connect().then(
          () => client,
          () => undefined,
        );
      });
      await answer.end();
      expect(failures()).toEqual([]);
    });

    it("that does not know the state leaves the one that runs in its place", async () => {
      const newer = installAs("10.0.0", {
        "store/sqlite/schema.ts": (text) =>
          text.replace("];\nvar knownSchema", ",'CREATE TABLE next (n INTEGER) STRICT'];\nvar knownSchema"),
      });
      const newerPerch = perchIn(root, {}, newer.main);
      await outside.end().catch(() => undefined); // its door was another one
      process.stderr.write(`asked in all: ${JSON.stringify(counts())}\n`);
      await end();
      await ok("down");
      succeeded(await newerPerch(["up"]));
      const refused = await world.perch(["up"]);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain("[state_newer]\nNext: Start the version that wrote it");
      expect(refused.stderr).toContain("perchd 10.0.0 runs again");
      expect(await version()).toBe("10.0.0");
      await eventually("the leader answers", async () => (await world.leader()).state === "started");
      succeeded(await newerPerch(["down"]));
    });
  },
);

describe.skipIf(missingTools("psql"))("perch up of another version in portable mode", () => {
  it("says that connections end, and leads new ones in by the same port", async () => {
    const { root, ok, create, cluster, leader } = worldIn();
    await ok("up", "--portable");
    await create();
    await ok("apps", "create", "web");
    await ok("postgres", "attach", "pg", "--app", "web");
    const connectionString = (await ok("run", "-a", "web", "--", "sh", "-c", 'echo "$DATABASE_URL"')).trim();
    const before = { port: (await cluster()).port, pid: (await leader()).pid };

    const replaced = await perchIn(root, {}, installAs("9.9.9").main)(["up"]);
    expect(succeeded(replaced)).toContain(`Perch is up, 9.9.9 in place of ${thisVersion}`);
    expect(replaced.stderr).toContain(
      "In portable mode perchd itself leads connections to PostgreSQL: those that are open end now, and can be opened again",
    );
    expect({ port: (await cluster()).port, pid: (await leader()).pid }).toEqual(before);
    const client = new pg.Client({ connectionString });
    await client.connect();
    expect((await client.query("SELECT current_user AS name")).rows).toEqual([{ name: "web" }]);
    await client.end();
    await ok("down");
  });
});
