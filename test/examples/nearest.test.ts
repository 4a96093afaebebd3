import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { attach, type Example, exampleOf } from "../support/example.ts";
import { chooserIn, choosers } from "../support/landing.ts";
import { succeeded } from "../support/perch.ts";
import { missingTools } from "../support/tools.ts";

/**
 * The switch of examples/sequelize-replicas in the plain clients: each resolves names in its own way (Node.js, glibc,
 * Go), and must keep their order.
 */
describe("the nearest member by port 5433", () => {
  let node: Example;
  let expected: { replica: string; address: string | undefined }[];

  /**
   * Where a program arrives that runs in the primary region, in one with a replica, and in one whose nearest is next
   * door; as PostgreSQL tells it.
   */
  async function arrivals(example: Example, ...argv: string[]): Promise<unknown[]> {
    await writeFile(join(example.directory, "perch.toml"), 'primary_region = "ams"\n');
    const from = async (region: string): Promise<unknown> =>
      JSON.parse(succeeded(await example.runIn(region, ...argv))) as unknown;
    return [await from("ams"), await from("iad"), await from("lax")];
  }

  beforeAll(async () => {
    node = await exampleOf("node");
    await node.prepare(["npm", "ci", "--no-audit", "--no-fund"]);
    await attach(node);
    const { id } = await node.world.leader();
    for (const region of ["iad", "sjc"]) await node.world.ok("machine", "clone", id, "--region", region);
    const { members } = await node.world.cluster();
    const addressIn = (region: string) => members.find((member) => member.region === region)?.address;
    expected = [
      { replica: "false", address: addressIn("ams") },
      { replica: "true", address: addressIn("iad") },
      { replica: "true", address: addressIn("sjc") },
    ];
  });

  it("is met by node-postgres, in both orders of addresses that Node.js knows", async () => {
    expect(await arrivals(node, "node", "nearest.js")).toEqual(expected);
    expect(await arrivals(node, "node", "--dns-result-order=ipv4first", "nearest.js")).toEqual(expected);
  });

  it.skipIf(missingTools("ruby -rpg -e 1"))("is met by Ruby's pg", async () => {
    expect(await arrivals(await exampleOf("ruby", node.world), "ruby", "nearest.rb")).toEqual(expected);
  });

  it.skipIf(missingTools("python3 -c 'import ensurepip'"))("is met by psycopg", async () => {
    const python = await exampleOf("python", node.world);
    await python.prepare(["python3", "-m", "venv", ".venv"]);
    await python.prepare([".venv/bin/pip", "install", "-q", "-r", "requirements.lock"]);
    expect(await arrivals(python, ".venv/bin/python", "nearest.py")).toEqual(expected);
  });

  it.skipIf(missingTools("go"))(
    "is met by pgx, with Go's own resolver and, where it was built with cgo, the system's",
    async () => {
      const go = await exampleOf("go", node.world);
      await go.prepare(["go", "build", "-mod=readonly", "-o", "where", "./nearest"]);
      expect(await arrivals(go, "env", "GODEBUG=netdns=go", "./where")).toEqual(expected);
      expect(await arrivals(go, "env", "GODEBUG=netdns=cgo", "./where")).toEqual(expected);
    },
  );

  // What docs/networking.md says of target_session_attrs and targetServerType.
  describe.each(choosers.map((chooser) => ({ chooser, missing: missingTools(...chooser.tools) })))(
    "$chooser.name",
    ({ chooser, missing }) => {
      const { words } = chooser;
      let arrives: Awaited<ReturnType<typeof chooserIn>>;
      const lands = async (...from: Parameters<typeof arrives>): Promise<unknown> =>
        JSON.parse(succeeded(await arrives(...from))) as unknown;
      const [leader, iad, sjc] = [() => expected[0], () => expected[1], () => expected[2]];

      beforeAll(async () => {
        if (!missing) arrives = await chooserIn(chooser, node.world);
      }, 600_000);

      it.skipIf(missing)(
        "meets by 5432 the leader, and by replica.pg.internal:5433 a replica, whether it asks for that or not",
        async () => {
          for (const word of [undefined, ...words.leader])
            expect(await lands("iad", "pg.internal:5432", word), word).toEqual(leader());
          for (const word of [undefined, ...words.replica])
            expect(await lands("lax", "replica.pg.internal:5433", word), word).toEqual(sjc());
        },
      );

      it.skipIf(missing)("is refused where the one host is not what it asks for", async () => {
        const refusal =
          /not in hot standby mode|not read.only|targetServerType: secondary|SessionAttribute\.(standby|read_only)/;
        for (const word of words.replica)
          for (const [region, hosts] of [
            ["ams", "pg.internal:5433"],
            ["iad", "pg.internal:5432"],
          ] as const) {
            const { code, stderr } = await arrives(region, hosts, word);
            expect(code, hosts).not.toBe(0);
            expect(stderr, hosts).toMatch(refusal);
          }
      });

      it.skipIf(missing)(
        `goes on to the next ${chooser.tries ?? "host"} where a server is not what it asks for`,
        async () => {
          const ended = await arrives("ams", "global.pg.internal:5433", words.replica[0]);
          if (chooser.tries === "address") expect(JSON.parse(succeeded(ended))).toEqual(iad());
          else expect(ended.code).not.toBe(0);
        },
      );

      it.skipIf(missing)(
        "finds the leader or a replica in a list of members, and passes over a name without an address",
        async () => {
          for (const word of words.leader)
            expect(await lands("lax", "iad.pg.internal:5433,ams.pg.internal:5433", word), word).toEqual(leader());
          for (const word of [...words.replica, ...words.rather])
            expect(await lands("lax", "ams.pg.internal:5433,iad.pg.internal:5433", word), word).toEqual(iad());
          expect(await lands("lax", "sfo.pg.internal:5433,pg.internal:5432")).toEqual(leader());
          expect(await lands("iad", "replica.pg.internal:5433,pg.internal:5432")).toEqual(iad());
        },
      );
    },
  );
});
