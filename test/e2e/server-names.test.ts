import { beforeAll, describe, expect, it } from "vitest";
import { serverResolver } from "../../src/model/address.ts";
import { perchIn, succeeded } from "../support/perch.ts";
import { tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { operatorPassword, worldIn } from "../support/world.ts";

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
    await world.sql((await world.leader("two")).id, "CREATE TABLE shared (n int); CREATE PUBLICATION all_of_it FOR TABLE shared");
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

  it("are nothing else: one of outside does not exist, and is asked of nobody", async () => {
    const { id } = await world.leader("one");
    const outside = "host=secret-words.example.com user=postgres dbname=postgres connect_timeout=5";
    await expect(
      world.sql(id, `CREATE SUBSCRIPTION t CONNECTION '${outside}' PUBLICATION p WITH (create_slot = false, enabled = false)`),
    ).rejects.toThrow(/could not translate host name "secret-words.example.com".*not known/);
    const { network } = await world.status();
    const resolver = serverResolver(network.prefix.replace("::/48", ""));
    const asks = `const { Resolver } = require("node:dns").promises; const r = new Resolver(); r.setServers(["[${resolver}]:53"]);
      const ask = (name) => r.resolve6(name).then((found) => found.length > 0, (error) => error.code);
      Promise.all(["two.internal", "example.com", "localhost.example"].map(ask)).then((said) => console.log(JSON.stringify(said)));`;
    expect(JSON.parse(succeeded(await perch(["run", "--", process.execPath, "-e", asks])))).toEqual([true, "ENOTFOUND", "ENOTFOUND"]);
  });
});
