import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { attach, type Example, exampleOf } from "../support/example.ts";
import { succeeded } from "../support/perch.ts";
import { missingTools } from "../support/tools.ts";

/** The switch of examples/sequelize-replicas in the plain clients: each resolves names in its own way (Node.js, glibc, Go), and must keep their order. */
describe("the nearest member by port 5433", () => {
  let node: Example;
  let expected: { replica: string; address: string | undefined }[];

  /** Where a program arrives that runs in the primary region, in one with a replica, and in one whose nearest is next door; as PostgreSQL tells it. */
  async function arrivals(example: Example, ...argv: string[]): Promise<unknown[]> {
    await writeFile(join(example.directory, "perch.toml"), 'primary_region = "ams"\n');
    const from = async (region: string): Promise<unknown> => JSON.parse(succeeded(await example.runIn(region, ...argv))) as unknown;
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

  it.skipIf(missingTools("go"))("is met by pgx, with Go's own resolver and, where it was built with cgo, the system's", async () => {
    const go = await exampleOf("go", node.world);
    await go.prepare(["go", "build", "-mod=readonly", "-o", "where", "./nearest"]);
    expect(await arrivals(go, "env", "GODEBUG=netdns=go", "./where")).toEqual(expected);
    expect(await arrivals(go, "env", "GODEBUG=netdns=cgo", "./where")).toEqual(expected);
  });
});
