import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { NetworkDiagnosis } from "../../src/cli/diagnose-network.ts";
import { isRoot } from "../../src/host/system/home.ts";
import type { ProcessIdentity } from "../../src/model/records.ts";
import { doctorOf, type Line, mend, wrong } from "../support/diagnosis.ts";
import { runToEnd, succeeded } from "../support/perch.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, processesOf } from "../support/traces.ts";
import { eventually, worldIn } from "../support/world.ts";

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))(
  "perch doctor, with the network broken for real",
  () => {
    const world = worldIn();
    const doctor = () => doctorOf(world);
    /** The process that an ordinary user's namespace lives by. */
    const anchor = () => JSON.parse(readFileSync(join(world.home.runtime, "anchor.json"), "utf8")) as ProcessIdentity;
    const well = async () => expect(wrong(await doctor())).toEqual([]);

    beforeAll(async () => {
      await world.ok("up");
      await world.create();
      await world.ok("apps", "create", "web");
      await world.ok("postgres", "attach", "pg", "--app", "web");
    });

    it("finds a port whose packets are dropped, where nobody says so", async () => {
      const enter = isRoot()
        ? ["nsenter", `--net=/run/netns/perch-${world.home.id}`, "--"]
        : ["nsenter", "--user", "--preserve-credentials", "--net", `--target=${anchor().pid}`, "--"];
      const rules = `add table inet foreign\nadd chain inet foreign in { type filter hook input priority 0; }\nadd rule inet foreign in tcp dport 5433 drop\n`;
      succeeded(await runToEnd([...enter, "nft", "-f", "-"], { input: rules }));
      const [line] = wrong(await doctor());
      expect(line).toMatchObject({
        check: "port",
        sentence: expect.stringContaining("something drops its packets"),
        next: "perch down && perch up",
      });
      await mend(world, line);
      await well();
    });

    it("finds a name server that is silent", async () => {
      const server = (await processesOf(world.root)).find(({ command }) => command.includes("dns/main"));
      if (server === undefined) throw new Error("there is no name server");
      process.kill(server.pid, "SIGSTOP");
      const lines = wrong(await doctor());
      process.kill(server.pid, "SIGCONT");
      expect(lines.find(({ check }) => check === "process")?.sentence).toContain("the name server does not answer");
      // perchd lets it go on meanwhile: the look-up may have been answered in the end.
      expect(lines.filter(({ check }) => check !== "process" && check !== "name")).toEqual([]);
      await well();
    });

    it("is content with a namespace that was taken away soon after: it is entered again as it was", async () => {
      const { pid } = await world.leader();
      if (isRoot()) succeeded(await runToEnd(["ip", "netns", "delete", `perch-${world.home.id}`]));
      else await killHard([anchor()]);
      const told = async () => (await world.ok("events", "-n", "20")).includes("namespace had lost its name");
      await eventually("it is entered again", told, 30_000);
      await well();
      expect((await world.leader()).pid).toBe(pid);
    });
  },
);

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("perch doctor without an app", () => {
  it("without an app looks at perchd and the name server while there is no cluster, and then at every cluster", async () => {
    const fresh = worldIn();
    const asked = async () => {
      const { code, stdout } = await fresh.perch(["doctor", "--json"]);
      return { code, ...(JSON.parse(stdout) as NetworkDiagnosis) };
    };
    const checks = (lines: Line[] = []) => lines.map(({ state, check }) => `${state} ${check}`).join(", ");
    expect(await asked()).toMatchObject({ code: 1, ok: false, lines: [{ check: "daemon", next: "perch up" }] });
    await fresh.ok("up");
    const { code, lines } = await asked();
    expect([code, checks(lines)]).toEqual([0, "ok daemon, ok name"]);
    expect(await fresh.ok("doctor")).toMatch(
      /\n\nThere is no cluster yet\. Make one: {2}perch postgres create --name pg\n$/,
    );
    await fresh.create("one");
    await fresh.create("two");
    await fresh.ok("machine", "stop", (await fresh.leader("two")).id);
    const both = await asked();
    expect([both.code, checks(both.lines)]).toEqual([1, "ok daemon, ok namespace, ok disk"]);
    expect(both.clusters.map(({ app, ok, lines: own }) => [app, ok, checks(wrong(own))])).toEqual([
      ["one", true, ""],
      ["two", false, "fail port, fail leader"],
    ]);
    expect((await fresh.perch(["doctor"])).stdout).toMatch(
      /\n\nCluster one\n[^]+\none can connect\.\n\nCluster two\n[^]+\ntwo cannot connect: look at port, leader\.\n$/,
    );
    expect(await fresh.error("doctor", "--variable-name", "MAIN_URL")).toMatchObject({
      code: "usage_invalid",
      exit: 2,
    });
    await fresh.ok("down");
  });
});

describe("perch doctor in portable mode", () => {
  const world = worldIn();

  it("goes by 127.0.0.1 and the ports there", async () => {
    await world.ok("up", "--portable");
    await world.create();
    await world.ok("apps", "create", "web");
    await world.ok("postgres", "attach", "pg", "--app", "web");
    const lines = await doctorOf(world);
    expect(wrong(lines)).toEqual([]);
    expect(lines.find(({ check }) => check === "url")?.sentence).toMatch(
      /^DATABASE_URL leads to web@127\.0\.0\.1:\d+\/web, as the attachment to pg has it$/,
    );
  });

  it("finds a stopped leader behind the port, and a password that was changed", async () => {
    const leader = await world.leader();
    await world.ok("machine", "stop", leader.id);
    const stopped = wrong(await doctorOf(world));
    expect(stopped.map(({ state, check }) => `${state} ${check}`)).toContain("fail leader");
    await mend(
      world,
      stopped.find(({ check }) => check === "leader"),
    );
    await world.ok("secrets", "set", "-a", "web", "DATABASE_URL=postgres://web:not-the-one@pg.internal:5432/web");
    const [line, ...others] = wrong(await doctorOf(world));
    expect([line?.check, others]).toEqual(["password", []]);
    await mend(world, line);
    expect(wrong(await doctorOf(world))).toEqual([]);
  });
});
