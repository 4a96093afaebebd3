import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { runToEnd, succeeded } from "../support/perch.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, worldIn } from "../support/world.ts";

/** Go has a resolver of its own. */
const goProgram = `package main
import ("fmt"; "net"; "os")
func main() {
	addresses, err := net.LookupHost(os.Args[1])
	if err != nil { panic(err) }
	for _, address := range addresses { fmt.Println(address) }
}
`;

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "getent"))("names in a run", () => {
  const { ok, json, perch, begin, create, cluster, leader } = worldIn();
  const regions = ["ams", "lhr", "iad"];
  const nearest: Record<string, string[]> = {
    ams: ["ams", "lhr", "iad"],
    lhr: ["lhr", "ams", "iad"],
    iad: ["iad", "lhr", "ams"],
    syd: ["iad", "ams", "lhr"],
  };
  const addresses: Record<string, string> = {};
  /** What a command in a region prints, one address a line, as the regions of those addresses. */
  const seen = async (region: string, ...command: string[]) => {
    const lines = (await ok("run", "-a", "web", "--region", region, "--", ...command)).trim().split("\n");
    return lines.map((line) => Object.keys(addresses).find((code) => addresses[code] === line) ?? line);
  };
  const everyone = "global.pg.internal";
  const node = (name: string, order: string) =>
    `require("dns").lookup("${name}", {all: true, order: "${order}"}, (e, all) => { if (e) throw e; for (const {address} of all) console.log(address); })`;
  const glibc = (name: string) => `getent ahostsv6 ${name} | awk '/STREAM/ { print $1 }'`;

  beforeAll(async () => {
    await ok("up");
    await ok("apps", "create", "web", "--region", "ams");
    await create();
    const { id } = await leader();
    for (const region of regions.slice(1)) await ok("machine", "clone", id, "--region", region, "-a", "pg");
    for (const member of (await cluster()).members) addresses[member.region] = member.address;
  });

  it.each(regions)("come nearest first in %s, for glibc and for Node.js whatever order it asks for", async (region) => {
    expect(await seen(region, "sh", "-c", glibc(everyone))).toEqual(nearest[region]);
    for (const order of ["verbatim", "ipv4first"])
      expect(await seen(region, process.execPath, "-e", node(everyone, order)), order).toEqual(nearest[region]);
  });

  it.each(regions)(
    "are one for the cluster itself in %s, the nearest member, for glibc and for Node.js",
    async (region) => {
      expect(await seen(region, "sh", "-c", glibc("pg.internal"))).toEqual([region]);
      expect(await seen(region, process.execPath, "-e", node("pg.internal", "verbatim"))).toEqual([region]);
    },
  );

  it("never are a run of the cluster's own app, though it is nearer than any member", async () => {
    const running = await begin([
      "run",
      "-a",
      "pg",
      "--region",
      "syd",
      "--",
      "sh",
      "-c",
      "echo $FLY_PRIVATE_IP; exec sleep 60",
    ]);
    await eventually("the command has said its address", () => running.stdout().includes("\n"));
    expect(await seen("syd", "sh", "-c", glibc("syd.pg.internal"))).toEqual([running.stdout().trim()]);
    expect(await seen("syd", "sh", "-c", glibc("pg.internal"))).toEqual(nearest["syd"]?.slice(0, 1));
    running.kill("SIGTERM");
    await running.ended;
  });

  it("come nearest first where there is no member, too", async () => {
    const [first, second, third] = await seen("syd", "sh", "-c", glibc(everyone));
    const dug = (await ok("dig", everyone, "--region", "syd", "--short")).trim().split("\n");
    expect([first, second, third].map((code) => addresses[code ?? ""])).toEqual(dug);
  });

  it.skipIf(missingTools("go"))("come nearest first for Go", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "main.go"), goProgram);
    const env = { CGO_ENABLED: "0", GOFLAGS: "-mod=mod", GO111MODULE: "off" };
    succeeded(await runToEnd(["go", "build", "-o", "names", "main.go"], { cwd: directory, env }));
    for (const region of regions) {
      expect(await seen(region, join(directory, "names"), everyone), region).toEqual(nearest[region]);
      expect(await seen(region, join(directory, "names"), "pg.internal"), region).toEqual([region]);
    }
  });

  it("are asked of the region's own resolver, and the host's files stay as they are", async () => {
    const host = readFileSync("/etc/resolv.conf", "utf8");
    const running = await begin([
      "run",
      "-a",
      "web",
      "--region",
      "lhr",
      "--",
      "sh",
      "-c",
      "cat /etc/resolv.conf; grep ^hosts /etc/nsswitch.conf; exec sleep 60",
    ]);
    await eventually("the command has said what it sees", () => running.stdout().includes("hosts:"));
    expect(running.stdout()).toMatch(/^# .*\nnameserver fdaa:[0-9a-f:]+::3:c\n/);
    expect(running.stdout()).toMatch(/^hosts: files dns$/m);
    expect(readFileSync("/etc/resolv.conf", "utf8")).toBe(host);
    running.kill("SIGTERM");
    expect((await running.ended).code).toBe(143);
    expect(readFileSync("/etc/resolv.conf", "utf8")).toBe(host);
  });

  it("hold a run while it lives: the address it is told is its own, and is gone with it", async () => {
    const running = await begin([
      "run",
      "-a",
      "web",
      "--region",
      "iad",
      "--",
      "sh",
      "-c",
      "echo $FLY_PRIVATE_IP $FLY_MACHINE_ID; exec sleep 60",
    ]);
    await eventually("the command has said its address", () => running.stdout().includes("\n"));
    const [address, id] = running.stdout().trim().split(" ");
    const dig = async (...words: string[]) => (await ok("dig", "--short", ...words)).trim();
    expect(await dig("web.internal")).toBe(address);
    expect(await dig("iad.web.internal")).toBe(address);
    expect(await dig(`${id}.vm.web.internal`)).toBe(address);
    expect(await dig("vms.web.internal", "TXT")).toContain(`${id} iad`);
    expect(await ok("run", "-a", "web", "--", "getent", "hosts", "web.internal")).toContain(address);
    const listening =
      'require("net").createServer((c) => c.end("hello")).listen(8080, process.env.FLY_PRIVATE_IP, () => console.log("listening"))';
    const server = await begin(["run", "-a", "web", "--region", "lhr", "--", process.execPath, "-e", listening]);
    await eventually("the server listens", () => server.stdout() === "listening\n");
    const ask = `require("net").connect(8080, "lhr.web.internal").on("data", (d) => process.stdout.write(d))`;
    expect(await ok("run", "-a", "web", "--", process.execPath, "-e", ask)).toBe("hello");
    for (const one of [running, server]) {
      one.kill("SIGTERM");
      await one.ended;
    }
    expect(await dig("web.internal")).toBe("");
    expect(await json<{ status: string }>("dig", "web.internal")).toMatchObject({ status: "NOERROR", answers: [] });
    expect((await perch(["run", "-a", "web", "--", "getent", "hosts", "iad.web.internal"])).code).toBe(2);
  });
});
