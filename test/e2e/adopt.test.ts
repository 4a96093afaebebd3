import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asking, askingApp } from "../support/asking.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, known, processesOf } from "../support/traces.ts";
import { eventually, timed, worldIn } from "../support/world.ts";

/**
 * `kill -9` of perchd costs no query, and the next one takes over what runs. One story: each test goes on where the one
 * before it ended.
 */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))(
  "perchd that is killed and started again",
  () => {
    const world = worldIn();
    const { root, ok } = world;

    const { add, more, failures, counts, end } = asking();
    const pids = async () => (await world.cluster()).members.map(({ id, pid }) => `${id} ${pid}`);

    beforeAll(async () => {
      await ok("up");
      await timed("create", world.create());
      await timed("clone", ok("machine", "clone", (await world.leader()).id, "--region", "lhr"));
      await ok("apps", "create", "web");
      await timed("attach", ok("postgres", "attach", "pg", "--app", "web"));
      await add(await world.begin(["run", "-a", "web", "--", "sh", "-c", askingApp()]));
      await more(20);
    });

    afterAll(async () => {
      await end();
      await ok("down");
    });

    it("costs an app no query, no connection and no look-up, while it is away and while it comes back", async () => {
      const before = await pids();
      await killHard([await known((await world.status()).daemon.pid)]);
      await more(100);
      await timed("adoption: perch up", ok("up"));
      await more(100);
      expect(failures()).toEqual([]);
      expect(await pids()).toEqual(before);
    });

    it("finds its members streaming and the run that goes on", async () => {
      expect((await world.cluster()).members.map(({ role, state }) => `${role} ${state}`)).toEqual([
        "leader started",
        "replica streaming",
      ]);
      const runs = (await world.json<{ app: string; kind: string }[]>("machine", "list")).filter(
        ({ kind }) => kind === "run",
      );
      expect(runs.map(({ app }) => app)).toEqual(["web"]);
    });

    it("sees the death of a replica that it adopted, and starts it again, while the leader is asked on", async () => {
      const { id, pid } = await world.replica();
      await killHard([await known(pid)]);
      const { ms } = await eventually("the replica streams again", async () => {
        const now = await world.replica();
        return now.id === id && now.pid !== pid && now.state === "streaming";
      });
      process.stderr.write(`restart in place of a replica: ${Math.round(ms)} ms\n`);
      await more(20);
      expect(failures()).toEqual([]);
    });

    it("starts the name server again when that is killed", async () => {
      const servers = (await processesOf(root)).filter(({ command }) => command.includes("dns/main"));
      expect(servers).toHaveLength(1);
      await killHard(servers);
      const { ms } = await eventually("names are answered again", () =>
        world.client.call("dig", { body: { name: "global.pg.internal" } }).then(
          ({ answers }) => answers.length === 2,
          () => false,
        ),
      );
      process.stderr.write(`name server again: ${Math.round(ms)} ms\n`);
      expect((await processesOf(root)).filter(({ command }) => command.includes("dns/main"))).toHaveLength(1);
      await more(20);
      expect((await world.cluster()).members.map(({ role, state }) => `${role} ${state}`)).toEqual([
        "leader started",
        "replica streaming",
      ]);
    });

    it("sees the death of the leader that it adopted at once, and restarts it in place: the app's next connection works", async () => {
      process.stderr.write(`asked in all: ${JSON.stringify(counts())}\n`);
      // Without a name server there are no names; who is connected does not notice.
      expect(failures().filter((failure) => failure.includes(" long: "))).toEqual([]);
      await end();

      const { id, pid } = await world.leader();
      await killHard([await known(pid)]);
      const { ms } = await eventually("the leader takes writes again", () =>
        world.sql(id, "CREATE TABLE IF NOT EXISTS after_the_fall (n int)").then(
          () => true,
          () => false,
        ),
      );
      process.stderr.write(`restart in place of the leader: ${Math.round(ms)} ms\n`);
      expect(ms).toBeLessThan(5_000);
      await eventually(
        "it is listed",
        async () => (await world.leader()).state === "started" && (await world.leader()).pid !== pid,
      );
      expect(await ok("run", "-a", "web", "--", "sh", "-c", 'psql "$DATABASE_URL" -XAtc "SELECT 1"')).toBe("1\n");
      await eventually("the replica streams again", async () => (await world.replica()).state === "streaming");
      expect(await ok("events", "-n", "100")).toMatch(
        new RegExp(`start the leader ${id} in ams: it is wanted started and does not run`),
      );
    });
  },
);
