import { beforeAll, describe, expect, it } from "vitest";
import { serverResolver } from "../../src/model/address.ts";
import { perchIn, succeeded } from "../support/perch.ts";
import { tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, known } from "../support/traces.ts";
import { eventually, operatorPassword, worldIn } from "../support/world.ts";

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))("names on the side of PostgreSQL", () => {
  const world = worldIn(tempHome());
  const perch = perchIn(world.root);

  beforeAll(async () => {
    await world.ok("up");
    await world.create("one");
    await world.create("two");
  });

  it("are those of the network: a subscription of one cluster reaches another by its name", async () => {
    const { id } = await world.leader("one");
    const source = `host=two.internal user=postgres password=${operatorPassword} dbname=postgres connect_timeout=10`;
    await world.sql(
      (await world.leader("two")).id,
      "CREATE TABLE shared (n int); CREATE PUBLICATION all_of_it FOR TABLE shared",
    );
    await world.sql(id, "CREATE TABLE shared (n int)");
    // It connects, and asks whether the publication is there.
    const session = await world.connect(id);
    const said: string[] = [];
    session.on("notice", ({ message = "" }) => said.push(message));
    await expect(
      session.query(
        `CREATE SUBSCRIPTION s CONNECTION '${source}' PUBLICATION no_such_one WITH (copy_data = false, create_slot = false, enabled = false)`,
      ),
    ).resolves.toBeDefined();
    expect(said.join()).toContain("no_such_one");
    await session.end();
  });

  const contrib = "ls /usr/share/postgresql/*/extension/dblink.control";
  it.skipIf(missingTools(contrib))("lead dblink to another cluster, and show its refusal once", async () => {
    const { id } = await world.leader("one");
    await world.sql(id, "CREATE EXTENSION dblink");
    const over = (password: string, port = 5432) => {
      const source = `host=two.internal port=${port} user=postgres password=${password} dbname=postgres sslmode=require connect_timeout=10`;
      return world.sql<{ address: string }>(
        id,
        `SELECT * FROM dblink('${source}', 'SELECT host(inet_server_addr())') AS t (address text)`,
      );
    };
    const { address } = await world.leader("two");
    for (const port of [5432, 5433]) expect(await over(operatorPassword, port)).toEqual([{ address }]);
    const refused = await over("wrong").catch((error: unknown) => error as { code?: string; detail?: string });
    expect(refused).toMatchObject({ code: "08001" });
    expect("detail" in refused && refused.detail?.split("password authentication failed").length).toBe(2);
  });

  it("stay while a cluster's only server is started again, and while it is stopped, so that it refuses by itself", async () => {
    const { id, address, pid } = await world.leader("two");
    const names = ["two.internal", "leader.two.internal"];
    const dug = () =>
      Promise.all(
        names.map(async (name) =>
          (await world.client.call("dig", { body: { name } })).answers.map(({ data }) => data).join(),
        ),
      );
    const seen = new Set<string>();
    await killHard([await known(pid ?? 0)]);
    await eventually("the server is back", async () => {
      for (const found of await dug()) seen.add(found);
      const now = await world.leader("two");
      return now.state === "started" && now.pid !== pid;
    });
    expect([...seen]).toEqual([address]);
    await world.ok("machine", "stop", id);
    expect(await dug()).toEqual([address, address]);
    const refused = await perch(["run", "--", "psql", "-h", "two.internal", "-U", "postgres", "-c", "SELECT 1"]);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("Connection refused") as string });
    await world.ok("machine", "start", id);
  });

  it("are nothing else: one of outside does not exist, and is asked of nobody", async () => {
    const { id } = await world.leader("one");
    const outside = "host=secret-words.example.com user=postgres dbname=postgres connect_timeout=5";
    await expect(
      world.sql(
        id,
        `CREATE SUBSCRIPTION t CONNECTION '${outside}' PUBLICATION p WITH (create_slot = false, enabled = false)`,
      ),
    ).rejects.toThrow(/could not translate host name "secret-words.example.com".*not known/);
    const { network } = await world.status();
    const resolver = serverResolver(network.prefix.replace("::/48", ""));
    const asks = `const { Resolver } = require("node:dns").promises; const r = new Resolver(); r.setServers(["[${resolver}]:53"]);
      const ask = (name) => r.resolve6(name).then((found) => found.length > 0, (error) => error.code);
      Promise.all(["two.internal", "example.com", "localhost.example"].map(ask)).then((said) => console.log(JSON.stringify(said)));`;
    expect(JSON.parse(succeeded(await perch(["run", "--", process.execPath, "-e", asks])))).toEqual([
      true,
      "ENOTFOUND",
      "ENOTFOUND",
    ]);
  });
});
