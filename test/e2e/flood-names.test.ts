import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectNameServer } from "../../src/dns/control.ts";
import { networkResolver } from "../../src/model/address.ts";
import { bear, type Borne } from "../support/rude/abuse.ts";
import type { Answered, Kind } from "../support/rude/deeds.ts";
import { type Rude, rudeClient } from "../support/rude/rude.ts";
import { asking } from "../support/rude/vitals.ts";
import { missingTools } from "../support/tools.ts";
import { netnsOf } from "../support/traces.ts";
import { eventually, worldIn } from "../support/world.ts";

/**
 * Clients inside the network that are rude to its name server, while others ask for names and the owner asks perchd.
 */
describe.skipIf(missingTools("ip", "nft", "nsenter", "psql", "unshare --net true"))(
  "the name server among rude clients",
  () => {
    const world = worldIn();
    let [rude, polite]: (Rude | undefined)[] = [];
    let host = "";
    let processes: Record<string, number> = {};

    const namesAsked = (by: "udp" | "tcp") => () => {
      const answered = polite?.do("names", { host, port: 53, name: "pg.internal", everyMs: 20, by });
      return {
        async stop(): Promise<Answered> {
          await polite?.do("stop", { by });
          return (await answered) ?? { asked: 0, answered: 0, p50: 0, p99: 0, max: 0 };
        },
      };
    };
    const apiAsked = () => asking(() => world.client.call("listApps", {}), 50);
    const everybody = { names: namesAsked("udp"), "names by TCP": namesAsked("tcp"), API: apiAsked };
    const shareOf = (answered: Answered | undefined) =>
      answered === undefined ? 0 : answered.answered / answered.asked;
    const bounded = (vitals: Borne<unknown>["vitals"]) => {
      for (const [name, { before, most }] of Object.entries(vitals)) {
        // A datagram is read into 64 kB, which V8 gives back when some tens of MB have gathered.
        expect(most.megabytes - before.megabytes, name).toBeLessThan(128);
        expect(most.megabytes, name).toBeLessThan(256);
      }
    };
    const pidNow = async () => {
      const client = await connectNameServer(`${world.home.runtime}/dns.sock`);
      return client.ping().then(({ pid }) => (client.close(), pid));
    };

    beforeAll(async () => {
      await world.ok("up");
      await world.create("pg");
      const inside = ["nsenter", `--net=${netnsOf(world.root)}`, "--"];
      [rude, polite] = [rudeClient(inside), rudeClient(inside)];
      await Promise.all([rude, polite].map((client) => client.do("count", {})));
      const { network, daemon } = await world.status();
      host = networkResolver(network.prefix.split(":").slice(0, 3).join(":"));
      processes = { "name server": await pidNow(), perchd: daemon.pid };
    });

    afterAll(async () => {
      await Promise.all([rude?.end(), polite?.end()]);
    });

    it.each<[what: string, more: { say?: string; dripMs?: number }]>([
      ["silent", {}],
      ["with a question that drips", { say: "\0\u00c8slow", dripMs: 500 }],
    ])("keeps 512 of 10,000 connections that are %s, and answers others", async (what, more) => {
      const { result, vitals, others } = await bear({
        what: `10,000 connections, ${what}`,
        processes,
        others: everybody,
        async deed() {
          const crowd = await rude?.do("crowd", { to: { host, port: 53 }, count: 10_000, atOnce: 200, ...more });
          const { answer: open } = await eventually("the rest is hung up on", async () => {
            const left = (await rude?.do("count", {}))?.open ?? 10_000;
            return left <= 512 ? left : undefined;
          });
          await rude?.do("leave", {});
          return { ...crowd, open };
        },
      });
      expect(result.connected).toBe(10_000);
      expect(result.open).toBeGreaterThan(0);
      expect(others["API"]?.answered).toBe(others["API"]?.asked);
      expect(shareOf(others["names"])).toBeGreaterThan(0.8);
      // Inside, all come from one address: of a connection that is a moment old nobody can tell whose it is.
      expect(shareOf(others["names by TCP"])).toBeGreaterThan(0.8);
      const server = vitals["name server"];
      expect(server?.most.descriptors).toBeLessThan((server?.before.descriptors ?? 0) + 560);
      bounded(vitals);
    });

    it.each<[kind: Kind, sockets: number]>([
      ["names", 1],
      ["names", 16],
      ["big", 4],
      ["malformed", 4],
    ])("goes on answering while datagrams pour in: %s, from %i sockets", async (kind, sockets) => {
      const { result, vitals, others } = await bear({
        what: `a flood of datagrams, ${kind}, from ${sockets} sockets`,
        processes,
        others: everybody,
        deed: async () => rude?.do("datagrams", { host, port: 53, kind, sockets, ms: 2_000 }),
      });
      expect(result?.sent).toBeGreaterThan(1_000);
      for (const who of ["names by TCP", "API"]) expect(others[who]?.answered, who).toBe(others[who]?.asked);
      // Of questions that nobody repeats: what the kernel had no room for is lost.
      expect(shareOf(others["names"])).toBeGreaterThan(0.2);
      bounded(vitals);
    });

    it("is then the same process, and loses nothing", async () => {
      expect(await pidNow()).toBe(processes["name server"]);
      expect((await world.status()).daemon.pid).toBe(processes["perchd"]);
      const answered = namesAsked("udp")();
      expect(await world.ok("dig", "pg.internal")).toContain("fdaa:");
      const { asked, answered: heard } = await answered.stop();
      expect(asked).toBeGreaterThan(0);
      expect(heard).toBe(asked);
    });
  },
);
