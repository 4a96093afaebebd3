import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Home, homeOf, isRoot } from "../../src/host/system/home.ts";
import { reverseName } from "../../src/model/address.ts";
import { succeeded } from "../support/perch.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, netnsOf, processesOf, tracesOf } from "../support/traces.ts";
import { eventually, worldIn } from "../support/world.ts";

interface Listed {
  name: string;
  state: string;
  prefix: string | null;
  clusters: number | null;
  apps: number | null;
}

interface Dug {
  status: string;
  answers: { data: string }[];
}

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("two networks of one home", () => {
  const world = worldIn();
  const { ok, json, error, root } = world;
  const blue: Home = homeOf(root, "blue");
  const names = ["default", "blue"] as const;
  const inside = (network: string, ...argv: string[]) =>
    world.perch(["--network", network, "run", "-a", "web", "--", ...argv]);
  const dig = (network: string, ...words: string[]) => json<Dug>("dig", ...words, "--network", network);
  const list = async () => Object.fromEntries((await json<Listed[]>("network", "list")).map((one) => [one.name, one]));
  /** The leader's address, which is what the other network must not reach. */
  const addressOf = async (network: string): Promise<string> =>
    (await dig(network, "pg.internal")).answers[0]?.data ?? "";

  beforeAll(async () => {
    await ok("up");
    await ok("network", "create", "blue");
    for (const network of names) {
      await world.create("pg", "--network", network);
      await ok("apps", "create", "web", "--network", network);
    }
    await ok("--network", "blue", "apps", "create", "only-blue");
  });

  it("have a prefix, a namespace, a perchd and a state each", async () => {
    const listed = await list();
    expect(listed).toMatchObject({
      default: { state: "up", clusters: 1, apps: 1 },
      blue: { state: "up", clusters: 1, apps: 2 },
    });
    expect(listed["default"]?.prefix).not.toBe(listed["blue"]?.prefix);
    const namespaces = await Promise.all(
      names.map(async (network) => succeeded(await inside(network, "readlink", "/proc/self/ns/net"))),
    );
    expect(new Set(namespaces).size).toBe(2);
    expect((await world.perch(["status", "--json"], { env: { PERCH_NETWORK: "blue" } })).stdout).toContain(
      '"name": "blue"',
    );
    expect(
      (await world.perch(["--network=default", "status"], { env: { PERCH_NETWORK: "blue" } })).stdout,
    ).not.toContain("blue");
  });

  it("lead the same name each to its own cluster", async () => {
    const listed = await list();
    for (const network of names) {
      const prefix = listed[network]?.prefix?.replace("::/48", ":") ?? "none";
      expect(await addressOf(network)).toContain(prefix);
    }
  });

  const ways = [
    ["default", "blue"],
    ["blue", "default"],
  ] as const;

  it.each(ways)("keep %s from every address of %s: no route, no connection", async (from, to) => {
    const address = await addressOf(to);
    expect(address).toMatch(/^fdaa:/);
    const knock = `const s = require("net").connect(5432, ${JSON.stringify(address)});
      s.on("error", (e) => console.log(e.code)).on("connect", () => { console.log("connected"); s.end(); })`;
    expect(succeeded(await inside(to, process.execPath, "-e", knock))).toBe("connected\n");
    expect(succeeded(await inside(from, process.execPath, "-e", knock))).toBe("EHOSTUNREACH\n");
    const route = await inside(from, "ip", "-6", "route", "get", address);
    expect(route.code).not.toBe(0);
    expect(route.stderr).toContain("No route to host");
  });

  // In a user namespace ping has no right to a raw socket.
  it.skipIf(!isRoot() || missingTools("ping")).each(ways)("keep the pings of %s from %s", async (from, to) => {
    const address = await addressOf(to);
    expect((await inside(to, "ping", "-6", "-c1", "-W1", address)).code).toBe(0);
    expect((await inside(from, "ping", "-6", "-c1", "-W1", address)).code).not.toBe(0);
  });

  it("do not know the other's names, forwards or backwards", async () => {
    expect((await dig("blue", "_apps.internal", "TXT")).answers[0]?.data).toContain("only-blue");
    expect((await dig("default", "only-blue.internal")).status).toBe("NXDOMAIN");
    expect((await dig("blue", "only-blue.internal")).status).toBe("NOERROR");
    const backwards = reverseName(await addressOf("blue")) ?? "";
    expect(await dig("blue", backwards, "PTR")).toMatchObject({ status: "NOERROR", answers: [{}] });
    expect(await dig("default", backwards, "PTR")).toMatchObject({ status: "NXDOMAIN", answers: [] });
  });

  it("go down and up one by one, or all at once", async () => {
    await ok("down", "--network", "blue");
    expect(await list()).toMatchObject({
      default: { state: "up" },
      blue: { state: "down", prefix: expect.stringMatching(/^fdaa:/) as string },
    });
    await ok("up");
    expect((await list())["blue"]?.state).toBe("down");
    await ok("up", "--network", "blue");
    await ok("down");
    expect(Object.values(await list()).map(({ state }) => state)).toEqual(["down", "down"]);
    expect(await processesOf(root)).toEqual([]);
    await ok("up");
    expect(await list()).toMatchObject({ default: { state: "up", clusters: 1 }, blue: { state: "up", clusters: 1 } });
    for (const network of names) expect((await dig(network, "leader.pg.internal")).answers).toHaveLength(1);
  });

  it("are stopped in order where a perchd was killed", async () => {
    const { daemon } = await world.json<{ daemon: { pid: number } }>("status", "--network", "blue");
    await killHard((await processesOf(root)).filter(({ pid }) => pid === daemon.pid));
    await ok("down", "--network", "blue");
    expect((await processesOf(blue.runtime)).map(({ command }) => command)).toEqual([]);
    await ok("up", "--network", "blue");
  });

  it.each<[string[], string]>([
    [["network", "create", "blue"], "network_exists"],
    [["network", "create", "default"], "network_is_default"],
    [["network", "create", "../up"], "name_invalid"],
    [["network", "create", "Blue"], "name_invalid"],
    [["--network", "green", "apps", "list"], "network_not_found"],
    [["--network", "../..", "apps", "list"], "name_invalid"],
    [["network", "destroy", "green", "--yes"], "network_not_found"],
    [["network", "destroy", "default", "--yes"], "network_is_default"],
    [["network", "destroy", "blue", "--yes"], "network_in_use"],
    [["network", "destroy", "blue", "--force"], "confirmation_needed"],
  ])("refuse %j with %s and change nothing", async (words, code) => {
    const before = await list();
    expect((await error(...words)).code).toBe(code);
    expect(await list()).toEqual(before);
  });

  it("are not made by perch up", async () => {
    const { code, stderr } = await world.perch(["up", "--network", "green"]);
    expect(code).toBe(1);
    expect(stderr).toContain("[network_not_found]");
    expect(existsSync(homeOf(root, "green").root)).toBe(false);
  });

  it("take up a creation that was killed half-way, or take away what it left", async () => {
    const green = homeOf(root, "green");
    for (const next of ["create", "destroy"] as const) {
      const creation = await world.begin(["network", "create", "green"]);
      await eventually("the directory is there", () => existsSync(green.store));
      creation.kill("SIGKILL");
      await creation.ended;
      if (next === "create") {
        await eventually("its list tells it", async () => (await list())["green"]?.state === "half made");
        await ok("network", "create", "green");
        expect((await list())["green"]).toMatchObject({ state: "up", clusters: 0 });
      }
      await ok("network", "destroy", "green", "--yes");
      expect([existsSync(green.root), existsSync(green.runtime), existsSync(netnsOf(green.root))]).toEqual([
        false,
        false,
        false,
      ]);
    }
  });

  it("leave nothing of a creation that was interrupted", async () => {
    const green = homeOf(root, "green");
    const creation = await world.begin(["network", "create", "green"]);
    await eventually("it has begun", () => existsSync(green.root));
    creation.kill("SIGINT");
    expect((await creation.ended).code).toBe(130);
    expect([existsSync(green.root), existsSync(green.runtime), existsSync(netnsOf(green.root))]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it("are gone without a trace when they are destroyed", async () => {
    await ok("network", "destroy", "blue", "--force", "--yes");
    expect(Object.keys(await list())).toEqual(["default"]);
    expect(readdirSync(join(root, "networks"))).toEqual([]);
    expect([existsSync(blue.runtime), existsSync(netnsOf(blue.root))]).toEqual([false, false]);
    expect((await error("--network", "blue", "status")).code).toBe("network_not_found");
  });

  it("leave no process, namespace or directory when all go down", async () => {
    await ok("down");
    expect(await tracesOf(root)).toEqual([]);
  });
});
