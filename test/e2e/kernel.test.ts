import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isRoot } from "../../src/host/system/home.ts";
import { clientOf } from "../../src/client/client.ts";
import { runToEnd, succeeded } from "../support/perch.ts";
import { missingTools } from "../support/tools.ts";
import { doctorOf, wrong } from "../support/diagnosis.ts";
import { killHard, known, netnsOf } from "../support/traces.ts";
import { eventually, worldIn } from "../support/world.ts";

/** A tick is five seconds; the machine may be busy. */
const healedWithinMs = 20_000;

/**
 * What the kernel holds for a network may be taken away by anybody with rights over it: it is seen, said, and set
 * again, while servers and apps go on.
 */
describe.skipIf(!isRoot() || missingTools("ip", "nft", "unshare", "nsenter", "psql"))(
  "what the kernel holds, taken away",
  () => {
    const world = worldIn();
    const { ok } = world;
    const name = `perch-${world.home.id}`;

    beforeAll(async () => {
      await ok("up");
      await world.create();
      await ok("apps", "create", "web");
      await ok("postgres", "attach", "pg", "--app", "web");
    });
    afterAll(async () => {
      await ok("down");
    });

    const inside = (script: string) => runToEnd(["nsenter", `--net=${netnsOf(world.root)}`, "--", "sh", "-c", script]);
    /** An app's whole way: its resolver, the name, the map, the password. */
    const works = async () =>
      (
        await world.perch([
          "run",
          "-a",
          "web",
          "--",
          "sh",
          "-c",
          'PGCONNECT_TIMEOUT=3 psql "$DATABASE_URL" -XAtc "SELECT 1"',
        ])
      ).stdout === "1\n";
    const events = async () =>
      (await world.json<{ sentence: string }[]>("events", "-n", "200")).map(({ sentence }) => sentence);

    /** Nothing that asks perchd how it is may be what sets it right: the damage is looked for from inside alone. */
    const heals = async (broken: () => Promise<boolean>) => {
      const { ms } = await eventually("it is set again", async () => !(await broken()), healedWithinMs);
      process.stderr.write(`set again after ${Math.round(ms)} ms\n`);
      await eventually("the app connects", works, healedWithinMs);
    };
    const lacks = (command: string, text: string) => async () => !(await inside(command)).stdout.includes(text);

    it.each([
      ["the whole ruleset", "nft flush ruleset", "nft list ruleset", "dport 5432"],
      ["the rules of one chain", "nft flush chain inet perch output", "nft list chain inet perch output", "dport 5432"],
      ["what one map leads to", "nft flush map inet perch leader", "nft list map inet perch leader", "5433"],
      ["the routes of the waiting room", "ip -6 route flush table 5043", "ip -6 route show table 5043", "fe80::5043"],
      ["the rules of routing", "ip -6 rule flush", "ip -6 rule show", "lookup 5043"],
      ["the pair of interfaces where connections wait", "ip link delete perch-wait", "ip link show", "perch-door"],
    ])("sets %s again", async (_what, damage, look, text) => {
      const { pid } = await world.leader();
      expect((await inside(damage)).code).toBe(0);
      await heals(lacks(look, text));
      expect((await world.leader()).pid).toBe(pid);
    });

    it("sets an address of the leader again, and every address when lo was down, or let no IPv6 through", async () => {
      const { address, pid } = await world.leader();
      const gone = lacks("ip -6 address show dev lo", `${address}/128`);
      expect((await inside(`ip -6 address delete ${address}/128 dev lo`)).code).toBe(0);
      await heals(gone);
      expect((await inside("ip link set lo down && ip link set lo up")).code).toBe(0);
      await heals(gone);
      expect((await inside("ip link set lo mtu 600")).code).toBe(0);
      await heals(gone);
      expect((await inside(`ip -6 route delete local ${address} dev lo table local`)).code).toBe(0);
      await heals(lacks("ip -6 route show table local", `local ${address} `));
      expect((await world.leader()).pid).toBe(pid);
    });

    it("is entered again under its name when that was taken away, with every process that was in it", async () => {
      const { pid } = await world.leader();
      const inode = async () => (await runToEnd(["stat", "-L", "-c", "%i", `/proc/${pid}/ns/net`])).stdout;
      const named = async () => (await runToEnd(["stat", "-c", "%i", netnsOf(world.root)])).stdout;
      const before = await inode();
      succeeded(await runToEnd(["ip", "netns", "delete", name]));
      await heals(async () => (await named()) !== before);
      expect((await world.leader()).pid).toBe(pid);
      // Another one of that name is not taken for it.
      succeeded(await runToEnd(["sh", "-c", `ip netns delete ${name} && ip netns add ${name}`]));
      await heals(async () => (await named()) !== before);
      await known(pid);
    });

    it("is found by who lives in it when its name was taken away while perchd was not there", async () => {
      const { pid } = await world.leader();
      await killHard([await known((await world.status()).daemon.pid)]);
      succeeded(await runToEnd(["ip", "netns", "delete", name]));
      await ok("up");
      await eventually("the app connects", works, healedWithinMs);
      expect((await world.leader()).pid).toBe(pid);
    });

    it("is named by status and by doctor meanwhile, and told by events", async () => {
      // It is set again within a second: who wants to see it gone takes it away again and again.
      const again = (times: number) => inside(`for n in $(seq ${times}); do nft flush ruleset; sleep 0.05; done`);
      const named = async () =>
        (await clientOf(world.home).call("status", {})).warnings.some(
          ({ what, thing }) => what === "kernel" && thing === "the map of port 5432",
        );
      const first = again(60);
      await eventually("status names it", named, healedWithinMs);
      await first;
      await eventually(
        "it is set again",
        async () => (await world.status()).warnings.every(({ what }) => what !== "kernel"),
        healedWithinMs,
      );
      const second = again(200);
      await eventually(
        "doctor names it",
        async () => wrong(await doctorOf(world)).some(({ check }) => check === "kernel"),
        healedWithinMs,
      );
      await second;
      await eventually(
        "doctor is content",
        async () => (await doctorOf(world)).every(({ state }) => state !== "fail"),
        healedWithinMs,
      );
      expect(
        (await events()).filter((sentence) => sentence.includes("the kernel did not hold any more what was set"))
          .length,
      ).toBeGreaterThan(1);
    });
  },
);
