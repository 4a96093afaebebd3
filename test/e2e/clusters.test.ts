import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missingTools } from "../support/tools.ts";
import { eventually, timed, worldIn } from "../support/world.ts";

/**
 * Clusters as a user makes, grows, stops and destroys them, once for each PostgreSQL there is: the system's and the one
 * from npm.
 */
const tools = missingTools("ip", "nft", "unshare", "nsenter", "psql");

describe.skipIf(tools).each([
  { kind: "of the system", choice: [], dataChecksums: "on" },
  { kind: "18 from npm, which has no pg_basebackup", choice: ["--pg-version", "18"], dataChecksums: "on" },
])("a cluster of three with the PostgreSQL $kind", ({ choice, dataChecksums }) => {
  const world = worldIn();
  const { ok, perch } = world;
  const states = async () =>
    (await world.cluster()).members.map(({ role, region, state }) => `${role} ${region} ${state}`);
  /** psql as the app, on one port of one member, from inside. */
  const at = (address: string, port: number, sql: string) =>
    perch([
      "run",
      "-a",
      "web",
      "--",
      "sh",
      "-c",
      `psql "$(echo "$DATABASE_URL" | sed 's|@[^/]*/|@[${address}]:${port}/|')" -v VERBOSITY=verbose -XAtc "${sql}"`,
    ]);

  beforeAll(async () => {
    await ok("up");
    await timed("create of three", world.create("pg", "--initial-cluster-size", "3", ...choice));
    await ok("apps", "create", "web");
    await ok("postgres", "attach", "pg", "--app", "web");
  });

  afterAll(async () => {
    await ok("down");
  });

  it("has a leader and two replicas that stream, in the region it was made for", async () => {
    expect(await states()).toEqual(["leader ams started", "replica ams streaming", "replica ams streaming"]);
    const { version } = await world.cluster();
    const [row] = await world.sql<{ server: string; checksums: string }>(
      (await world.leader()).id,
      "SELECT current_setting('server_version') AS server, current_setting('data_checksums') AS checksums",
    );
    expect(row?.server.startsWith(version)).toBe(true);
    expect(row?.checksums).toBe(dataChecksums);
    if (choice.length > 0) expect(version).toBe("18");
  });

  it("machine clone adds a replica in another region, which has what was written and gets what is", async () => {
    const leader = await world.leader();
    await ok(
      "run",
      "-a",
      "web",
      "--",
      "sh",
      "-c",
      'psql "$DATABASE_URL" -Xc "CREATE TABLE t AS SELECT generate_series(1, 5000) AS n"',
    );
    const { value } = await timed(
      "clone",
      world.json<{ id: string }>("machine", "clone", leader.id, "--region", "lhr"),
    );
    expect(await states()).toEqual([
      "leader ams started",
      "replica ams streaming",
      "replica ams streaming",
      "replica lhr streaming",
    ]);
    const count = async () =>
      (await world.sql<{ rows: number }>(value.id, "SELECT count(*)::int AS rows FROM t", "web"))[0]?.rows;
    expect(await count()).toBe(5000);
    await world.sql(leader.id, "INSERT INTO t VALUES (5001)", "web");
    await eventually("the row arrives", async () => (await count()) === 5001);
  });

  it("a replica refuses writes on 5433 with SQLSTATE 25006, and its 5432 leads to the leader", async () => {
    const replica = (await world.cluster()).members.find(({ region }) => region === "lhr");
    const refused = await at(replica?.address ?? "", 5433, "INSERT INTO t VALUES (1)");
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("ERROR:  25006: cannot execute INSERT in a read-only transaction") as string,
    });
    expect((await at(replica?.address ?? "", 5433, "SELECT pg_is_in_recovery()")).stdout).toBe("t\n");
    expect(
      (await at(replica?.address ?? "", 5432, "INSERT INTO t VALUES (2) RETURNING pg_is_in_recovery()")).stdout,
    ).toMatch(/^f\n/);
  });

  it("postgres connect opens psql on the leader, and on the replica of a region", async () => {
    const recovering = (...where: string[]) =>
      ok("postgres", "connect", "-a", "pg", ...where, "--", "-XAtc", "SELECT pg_is_in_recovery()");
    expect(await recovering()).toBe("f\n");
    expect(await recovering("--region", "lhr")).toBe("t\n");
  });

  it("machine stop keeps a replica stopped, its slot and its name's answers apart, and machine start brings it back", async () => {
    const { id, address } =
      (await world.cluster()).members.find(({ region }) => region === "lhr") ?? (await world.replica());
    const answers = async () =>
      (await world.client.call("dig", { body: { name: "global.pg.internal" } })).answers.map(({ data }) => data);
    expect(await answers()).toContain(address);
    expect(await ok("machine", "stop", id)).toBe(`Machine ${id} of pg is stopped\n`);
    expect(await states()).toContain("replica lhr stopped");
    await eventually("its address is not answered", async () => !(await answers()).includes(address));
    await ok("postgres", "restart", "-a", "pg");
    expect(await states()).toContain("replica lhr stopped");
    await ok("machine", "start", id);
    await eventually("it streams again", async () => (await states()).includes("replica lhr streaming"));
    expect(await answers()).toContain(address);
  });

  it("machine destroy takes a replica away with its slot and its data; the leader is refused", async () => {
    const { id } = (await world.cluster()).members.find(({ region }) => region === "lhr") ?? (await world.replica());
    const leader = await world.leader();
    const slots = async () =>
      (await world.sql<{ slot_name: string }>(leader.id, "SELECT slot_name FROM pg_replication_slots")).map(
        (row) => row.slot_name,
      );
    expect(await slots()).toContain(`perch_${id}`);
    expect(await perch(["machine", "destroy", id])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("[confirmation_needed]") as string,
    });
    await ok("machine", "destroy", id, "--yes");
    expect(await slots()).toHaveLength(2);
    expect(world.directories()).not.toContain(id);
    expect(await perch(["machine", "destroy", leader.id, "--yes"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("[machine_is_leader]") as string,
    });
    expect(await world.error("machine", "clone", id)).toMatchObject({ code: "machine_not_found" });
  });

  it("postgres destroy refuses while an app is attached, and takes everything with --detach", async () => {
    expect(await perch(["postgres", "destroy", "pg", "--yes"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/app "pg" is in use: web attached to it \[app_in_use\]/) as string,
    });
    await ok("postgres", "destroy", "pg", "--detach", "--yes");
    expect((await world.client.call("listApps", {})).map(({ name }) => name)).toEqual(["web"]);
    expect(await world.json("secrets", "list", "-a", "web")).toEqual([]);
    expect(world.directories()).toEqual([]);
  });
});

describe.skipIf(tools)("a cluster that cannot be made as asked", () => {
  const world = worldIn();

  beforeAll(async () => {
    await world.ok("up");
  });

  afterAll(async () => {
    await world.ok("down");
  });

  it("is refused when --pg-bin holds another major than --pg-version, none at all, or one that is not supported", async () => {
    const create = (...args: string[]) => world.error("postgres", "create", "--name", "pg", ...args);
    await world.create("donor", "--pg-version", "18");
    const bin = `${world.home.postgres}/tools/postgresql-18.4/bin`;
    expect(await create("--pg-bin", bin, "--pg-version", "17")).toMatchObject({
      code: "postgres_binaries_wrong",
      message: `${bin} holds PostgreSQL 18, not 17`,
      exit: 2,
    });
    expect(await create("--pg-bin", "/usr/share")).toMatchObject({ code: "postgres_binaries_missing" });
    expect(await create("--pg-version", "9")).toMatchObject({ code: "postgres_version_unsupported" });
    expect((await world.status()).clusters.map(({ name }) => name)).toEqual(["donor"]);
  });
});
