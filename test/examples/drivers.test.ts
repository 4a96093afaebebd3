import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { makeAuthority } from "../../src/postgres/tls/certificate.ts";
import { atWork, type DriverAtWork, drivers, lastLine, psql } from "../support/driver.ts";
import { repository, type RunningProgram, succeeded } from "../support/perch.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, worldIn } from "../support/world.ts";

/**
 * What every driver must be able to do through `pg.internal:5432`, told by its program in test/examples/drivers and by
 * the leader itself.
 */
describe("through the private network", () => {
  const world = worldIn();
  const here = [...drivers, psql].map((driver) => ({ driver, missing: missingTools(...driver.tools) }));
  const present = new Map<string, DriverAtWork>();
  const idle: RunningProgram[] = [];
  const authorities = temporaryDirectory();
  const verify = (file: string) => `sslmode=verify-full&sslrootcert=${encodeURIComponent(join(authorities, file))}`;
  let address: string | undefined;

  /** What the leader shows of the app's sessions. */
  const onLeader = async <Row extends object>(sql: string): Promise<Row[]> =>
    world.sql<Row>((await world.leader()).id, sql, "web");
  /** Those of drivers that hold a connection: psql ends with its commands. */
  const holding = () => [...present.values()].filter(({ driver }) => driver !== psql);

  beforeAll(async () => {
    await world.ok("up");
    await world.create("pg");
    const leader = await world.leader();
    address = leader.address;
    await world.ok("machine", "clone", leader.id, "--region", "lhr");
    await world.ok("apps", "create", "web");
    // A hundred at once, beside the idle ones of every driver.
    await world.ok("postgres", "attach", "pg", "--app", "web", "--connection-limit", "150");
    await writeFile(join(authorities, "ca.pem"), await world.ok("certs", "ca"));
    await writeFile(join(authorities, "other.pem"), (await makeAuthority("another network")).certificate);
    for (const { driver, missing } of here) if (!missing) present.set(driver.name, await atWork(driver, world));
    for (const driver of holding()) idle.push(await driver.begin("idle"));
    await eventually("every driver has its idle connection", () =>
      idle.every((program) => program.stdout().includes("\n")),
    );
  });

  describe.each(here)("$driver.name", ({ driver: { name }, missing }) => {
    const does = (behaviour: string, parameters?: string) => present.get(name)?.does(behaviour, parameters);

    it.skipIf(missing)("has TLS where it asks for it, and knows the network's authority from another", async () => {
      expect(await does("tls", "sslmode=disable")).toEqual({ ssl: false, address });
      expect(await does("tls", "sslmode=prefer")).toEqual({ ssl: true, address });
      expect(await does("tls", "sslmode=require")).toEqual({ ssl: true, address });
      expect(await does("tls", verify("ca.pem"))).toEqual({ ssl: true, address });
      expect(await present.get(name)?.fails("tls", verify("other.pem"))).toMatch(/certificate/);
    });

    it.skipIf(missing)("shows PostgreSQL's own words once for a wrong password, and sends it once", async () => {
      const user = `refused_${present.get(name)?.driver.program.split(".")[0]}`;
      await onLeader(`CREATE ROLE ${user} LOGIN PASSWORD 'right'`);
      const words = `password authentication failed for user "${user}"`;
      const times = (text: string) => text.split(words).length - 1;
      // With sslmode=prefer libpq sends it a second time, without TLS.
      const said = await present.get(name)?.refused(`postgres://${user}:wrong@pg.internal:5432/web`, "sslmode=require");
      expect(times(said ?? ""), said).toBe(1);
      const logged = async () => times(await world.ok("logs", "-a", "pg", "-n", "1000"));
      await eventually("the log tells of it", async () => (await logged()) > 0);
      expect(await logged()).toBe(1);
    });

    it.skipIf(missing)("cancels a query", async () => {
      // psql ends there when it has no terminal.
      expect(await does("cancel")).toEqual({ code: "57014", same: name !== psql.name });
    });

    it.skipIf(missing)("copies ten thousand rows in and out again", async () => {
      expect(await does("copy")).toEqual({ same: true });
      const table = present.get(name)?.driver.program.split(".")[0];
      const right = `count(*) FILTER (WHERE word = format(E'word \\t ü %s', id))::int AS right`;
      expect(await onLeader(`SELECT ${right}, sum(id)::int FROM copied_${table}`)).toEqual([
        { right: 10_000, sum: 50_005_000 },
      ]);
    });

    it.skipIf(missing)("hears what another session notifies", async () => {
      expect(await does("listen")).toEqual({ payload: "ü", sender: true });
    });

    it.skipIf(missing)("runs a prepared statement three times", async () => {
      expect(await does("prepared")).toEqual({ sums: [2, 3, 4], runs: 3 });
    });

    it.skipIf(missing)("takes a result of 50 MB", async () => {
      expect(await does("large")).toEqual({ bytes: 50 * 1024 ** 2 });
    });

    if (name === psql.name) return;
    it.skipIf(missing)("holds a hundred connections at once", async () => {
      expect(await does("many")).toEqual({ connections: 100 });
    });
  });

  it.skipIf(missingTools("psql"))(
    "has a certificate that is right for every name, on the leader and on the replica",
    async () => {
      const [leader, replica] = [await world.leader(), await world.replica()];
      const where = (host: string, port: number) =>
        present.get("psql")?.does("tls", `${verify("ca.pem")}&host=${host}&port=${port}`);
      const ways = [
        "",
        "leader.",
        "replica.",
        "lhr.",
        "global.",
        "top1.nearest.of.",
        "postgres.process.",
        `${leader.id}.vm.`,
        `${replica.id}.vm.`,
      ];
      for (const host of [...ways.map((way) => `${way}pg.internal`), "pg.flycast"])
        expect(await where(host, 5432)).toEqual({ ssl: true, address });
      for (const way of ["replica.", "lhr.", `${replica.id}.vm.`]) {
        expect(await where(`${way}pg.internal`, 5433)).toEqual({ ssl: true, address: replica.address });
      }
    },
  );

  it.skipIf(missingTools("javac"))(
    "gives Java the addresses nearest first, as seen from each region, and one for the cluster itself",
    async () => {
      const { address: replica } = await world.replica();
      const order = async (region: string, name = "global.pg.internal") => {
        const program = join(repository, "test/examples/drivers/Order.java");
        const lines = succeeded(
          await world.perch(["run", "-a", "web", "--region", region, "--", "java", program, name]),
        )
          .trim()
          .split("\n");
        return lines.map((line) => new URL(`http://[${line}]`).hostname.slice(1, -1));
      };
      expect(await order("ams")).toEqual([address, replica]);
      expect(await order("lhr")).toEqual([replica, address]);
      expect(await order("lhr", "pg.internal")).toEqual([replica]);
    },
  );

  it("keeps every idle connection for as long as all of that takes", async () => {
    const idleThere = "state = 'idle' AND application_name LIKE 'idle %' AND backend_start < now() - '5 s'::interval";
    expect(await onLeader(`SELECT count(*)::int FROM pg_stat_activity WHERE ${idleThere}`)).toEqual([
      { count: holding().length },
    ]);
    for (const program of idle) program.kill("SIGTERM");
    const told = await Promise.all(idle.map(async ({ ended }) => lastLine(succeeded(await ended))));
    expect(told).toEqual(holding().map(() => ({ same: true })));
  });

  it("lets every driver reconnect after a restart, told by 57P01 that the server goes", async () => {
    const programs = await Promise.all(holding().map((driver) => driver.begin("reconnect")));
    await eventually("every driver is in its query", async () => {
      const active =
        "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'reconnect %' AND query = 'SELECT pg_sleep(60)' AND state = 'active'";
      return (await onLeader(active)).length === programs.length;
    });
    await world.ok("postgres", "restart", "-a", "pg");
    const told = await Promise.all(programs.map(async ({ ended }) => lastLine(succeeded(await ended))));
    expect(told).toEqual(holding().map(() => ({ code: "57P01", other: true, replica: false })));
  });

  it("tells every driver that it is refused, by a message, while the leader is stopped, and with every member stopped", async () => {
    const [leader, replica] = [await world.leader(), await world.replica()];
    for (const { id } of [leader, replica]) {
      await world.ok("machine", "stop", id);
      const told = await Promise.all(
        [...present.values()].map((driver) => driver.refused("postgres://web:any@pg.internal:5432/web")),
      );
      expect(told).toEqual(told.map(() => expect.stringMatching(/refused/i) as string));
    }
  });
});
