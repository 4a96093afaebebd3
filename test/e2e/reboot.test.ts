import { existsSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { basename } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missingTools } from "../support/tools.ts";
import { killHard, netnsOf, processesOf, tracesOf } from "../support/traces.ts";
import { eventually, timed, worldIn } from "../support/world.ts";

/** A reboot as Perch sees it: no process, no namespace, no /run, and servers that nobody stopped. */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))("after the machine restarted", () => {
  const world = worldIn();
  const { root, home, ok } = world;
  let addresses: string[] = [];

  beforeAll(async () => {
    await ok("up");
    await world.create("pg", "--initial-cluster-size", "2");
    await ok("apps", "create", "web");
    await ok("postgres", "attach", "pg", "--app", "web");
    await world.query("web", "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n");
    await ok("machine", "clone", (await world.leader()).id, "--region", "lhr");
    const stopped = (await world.cluster()).members.find(({ region }) => region === "lhr");
    await ok("machine", "stop", stopped?.id ?? "");
    addresses = (await world.cluster()).members.map(({ address }) => address);

    await killHard(await processesOf(root));
    if (existsSync(netnsOf(root))) execFileSync("ip", ["netns", "delete", basename(netnsOf(root))]);
    await rm(home.runtime, { recursive: true });
  });

  afterAll(async () => {
    await ok("down");
  });

  it("perch up brings back the network with the addresses, members and wishes it had", async () => {
    expect(await tracesOf(root)).toEqual([`${home.daemonFile} is there`]);
    await timed("up after a reboot", ok("up"));
    const states = async () =>
      (await world.cluster()).members.map(({ role, region, state }) => `${role} ${region} ${state}`);
    const { ms } = await eventually("all are back", async () => (await states()).join().includes("streaming"));
    process.stderr.write(`all back ${Math.round(ms)} ms after up\n`);
    expect(await states()).toEqual(["leader ams started", "replica ams streaming", "replica lhr stopped"]);
    expect((await world.cluster()).members.map(({ address }) => address)).toEqual(addresses);
  });

  it("every row that was acknowledged is there, for the app by its old URL", async () => {
    expect(await world.query("web", "SELECT count(*) FROM kept")).toBe("1000");
  });

  it("what is written from then on reaches the replica", async () => {
    await world.query("web", "INSERT INTO kept VALUES (1001)");
    const { id } = await world.replica();
    const rows = () => world.sql(id, "SELECT n FROM kept WHERE n = 1001", "web");
    await eventually("the row is on the replica", async () => (await rows()).length > 0);
    expect(await rows()).toEqual([{ n: 1001 }]);
  });
});
