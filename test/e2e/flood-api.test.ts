import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { perchdName } from "../../src/model/token.ts";
import { hostAddress, type Internet, internet } from "../support/internet.ts";
import { repository, runToEnd, succeeded } from "../support/perch.ts";
import { bear, type Borne } from "../support/rude/abuse.ts";
import type { Deeds } from "../support/rude/deeds.ts";
import { clientHello, withLongName } from "../support/rude/hello.ts";
import { type Rude, rudeClient } from "../support/rude/rude.ts";
import { asking } from "../support/rude/vitals.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, worldIn } from "../support/world.ts";

const port = 6643;
const to = { host: hostAddress, port };
const [one, two, three, friend] = ["203.0.113.7", "203.0.113.8", "203.0.113.9", "203.0.113.20"] as const;

describe.skipIf(missingTools("ip", "nft", "nsenter", "psql", "unshare --net true"))(
  "the API among rude clients",
  () => {
    const world = worldIn();
    let net: Internet;
    let [rude, polite]: (Rude | undefined)[] = [];
    let processes: Record<string, number> = {};
    let tls = { ca: "", servername: perchdName };
    let token = "";
    let session: pg.Client;

    beforeAll(async () => {
      net = await internet([one, two, three, friend]);
      succeeded(
        await runToEnd([...net.host, process.execPath, `${repository}/dist/cli/main.js`, "up"], {
          env: { PERCH_HOME: world.root },
        }),
      );
      await world.create("pg");
      await world.ok("remote", "on", "--listen", `${hostAddress}:${port}`);
      tls = { ...tls, ca: await world.ok("certs", "ca") };
      ({ token } = await world.json<{ token: string }>("tokens", "create", "friend", "--scope", "admin"));
      session = await world.connect((await world.leader()).id);
      [rude, polite] = [rudeClient(net.strangers), rudeClient(net.strangers)];
      await Promise.all([rude, polite].map((client) => client.do("count", {})));
      processes = { perchd: (await world.status()).daemon.pid };
    });
    afterAll(async () => {
      await session.end();
      await world.ok("down");
      await Promise.all([rude?.end(), polite?.end()]);
    });
    const friends = () =>
      asking(async () => {
        const headers = { authorization: `Bearer ${token}` };
        const once = { path: "/v1/apps", headers, connections: 1, fresh: true, ms: 0 };
        const got = await polite?.do("requests", { to: { ...to, localAddress: friend }, tls, ...once });
        if (got?.statuses["200"] !== 1) throw new Error(JSON.stringify(got));
      }, 50);
    const owner = () => asking(() => world.client.call("listApps", {}), 50);
    /** A connection to PostgreSQL that was there before, and goes on. */
    const queries = () => asking(() => session.query("SELECT 1"), 20);
    const others = { owner, friend: friends, queries };
    const allAnswered = ({ others: answered }: Pick<Borne<unknown>, "others">) => {
      for (const [who, { asked, answered: heard }] of Object.entries(answered))
        expect(`${who}: ${heard} of ${asked}`).toBe(`${who}: ${asked} of ${asked}`);
    };
    const bounded = ({ vitals: { perchd } }: Borne<unknown>, descriptors: number) => {
      expect(perchd?.most.descriptors).toBeLessThan((perchd?.before.descriptors ?? 0) + descriptors);
      expect((perchd?.most.megabytes ?? 0) - (perchd?.before.megabytes ?? 0)).toBeLessThan(128);
      expect(perchd?.most.megabytes).toBeLessThan(220);
    };

    type Crowd = Parameters<Deeds["crowd"]>[0];
    it.each<[count: number, what: string, crowd: () => Omit<Crowd, "count">]>([
      [10_000, "silent ones", () => ({ to: { ...to, localAddress: one }, atOnce: 200 })],
      [
        10_000,
        "ones without TLS",
        () => ({ to: { ...to, localAddress: two }, atOnce: 200, say: "GET / HTTP/1.1\r\n\r\n" }),
      ],
      [
        300,
        "ones whose headers drip",
        () => ({
          to: { ...to, localAddress: three },
          tls,
          atOnce: 20,
          say: "GET /v1/apps HTTP/1.1\r\nslow: ",
          dripMs: 500,
        }),
      ],
    ])(
      "keeps 250 of %i connections of one source, %s, for a few seconds, and answers others",
      async (count, what, crowd) => {
        const borne = await bear({
          what: `${count} connections to the API, ${what}`,
          processes,
          others,
          async deed() {
            const made = await rude?.do("crowd", { ...crowd(), count });
            await eventually("each is hung up on", async () => (await rude?.do("count", {}))?.open === 0, 12_000);
            await rude?.do("leave", {});
            return made;
          },
        });
        expect(borne.result?.connected).toBeGreaterThan(250);
        allAnswered(borne);
        bounded(borne, 300);
      },
    );

    it("answers its owner beside 10,000 connections of his to the unix socket, of which it keeps 1,000", async () => {
      const borne = await bear({
        what: "10,000 connections to the unix socket",
        processes,
        others,
        async deed() {
          const made = await rude?.do("crowd", {
            to: { path: world.home.socket },
            count: 10_000,
            atOnce: 50,
            say: "GET /v1/apps HTTP/1.1\r\nslow: ",
          });
          await eventually(
            "the rest is hung up on",
            async () => ((await rude?.do("count", {}))?.open ?? 10_000) <= 1_000,
          );
          await rude?.do("leave", {});
          return made;
        },
      });
      expect(borne.result?.connected).toBeGreaterThan(1_000);
      const { owner: mine, ...theirs } = borne.others;
      // Above what the kernel keeps waiting, a unix socket says no at once.
      expect((mine?.answered ?? 0) / (mine?.asked ?? 1)).toBeGreaterThan(0.5);
      allAnswered({ others: theirs });
      bounded(borne, 1_050);
    });

    it("gives away 200 connections of perch proxy on which nobody says anything, and PostgreSQL serves others", async () => {
      const { id } = await world.leader();
      const postmaster = async () =>
        (
          await world.sql<{ n: number }>(
            id,
            "SELECT count(*)::int AS n FROM pg_stat_activity WHERE backend_type = 'client backend'",
          )
        )[0]?.n;
      const before = await postmaster();
      const borne = await bear({
        what: "200 silent connections of perch proxy",
        processes,
        others,
        async deed() {
          const say =
            "POST /v1/proxy?host=pg.internal HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: perch-proxy\r\n\r\n";
          await rude?.do("crowd", { to: { path: world.home.socket }, count: 200, atOnce: 20, say });
          const { answer } = await eventually("all are led in", async () => {
            const there = (await rude?.do("count", {}))?.heard ?? 0;
            return there >= 200 ? there : undefined;
          });
          await rude?.do("leave", {});
          return answer;
        },
        restMs: 45_000,
      });
      expect(borne.result).toBe(200);
      allAnswered(borne);
      bounded(borne, 250);
      await eventually("PostgreSQL has let go of them, too", async () => (await postmaster()) === before);
    });

    const ways = [
      ["no token", "remote", "", /^HTTP\/1\.1 401/],
      ["a wrong token", "remote", "authorization: Bearer guess\r\n", /^HTTP\/1\.1 401/],
      ["a token", "remote", "TOKEN", /^HTTP\/1\.1 413/],
      ["the unix socket", "unix", "", /^HTTP\/1\.1 413/],
    ] as const;
    it.each(
      ways.flatMap(([who, way, more, status]) =>
        [false, true].map((chunked) => [chunked ? "in chunks" : "announced", who, chunked, way, more, status] as const),
      ),
    )(
      "reads some megabytes of a body of 1 GB, %s, with %s, and hangs up",
      async (_how, who, chunked, way, more, status) => {
        const length = chunked ? "transfer-encoding: chunked" : `content-length: ${2 ** 30}`;
        const authorization = more === "TOKEN" ? `authorization: Bearer ${token}\r\n` : more;
        const host = way === "unix" ? "localhost" : hostAddress;
        const head = `PUT /v1/apps/web/secrets HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n${authorization}${length}\r\n\r\n`;
        const at = way === "unix" ? { to: { path: world.home.socket } } : { to: { ...to, localAddress: two }, tls };
        const borne = await bear({
          what: `a body of 1 GB, ${chunked ? "in chunks" : "announced"}, with ${who}`,
          processes,
          others,
          deed: async () => rude?.do("body", { ...at, head, chunked, megabytes: 1_024 }),
        });
        expect(borne.result?.sentMegabytes).toBeLessThan(64);
        // Who goes on writing may have broken off what he was told.
        if (borne.result?.answer !== "") expect(borne.result?.answer).toMatch(status);
        process.stderr.write(
          `it sent ${borne.result?.sentMegabytes} MB and heard ${JSON.stringify(borne.result?.answer.slice(0, 12))}\n`,
        );
        bounded(borne, 20);
        allAnswered(borne);
      },
    );

    it("is not held up by a handshake of TLS that is cut, garbled, enormous or begun again", async () => {
      const hello = await clientHello(perchdName);
      const cut = Array.from({ length: hello.length }, (_, at) => hello.subarray(0, at));
      const garbled = Array.from({ length: 200 }, (_, seed) => {
        const copy = Buffer.from(hello);
        for (let change = 0; change < 4; change++)
          copy[(seed * 131 + change * 37) % copy.length] = (seed * 89 + change * 53) & 255;
        return copy;
      });
      const long = [255, 256, 4_000, 16_000, 60_000].map((bytes) => withLongName(hello, perchdName, bytes));
      const again = [
        Buffer.concat([hello, hello]),
        Buffer.concat([hello, Buffer.of(20, 3, 3, 0, 1, 1), hello]),
        Buffer.alloc(100_000, Buffer.of(20, 3, 3, 0, 1, 1)),
      ];
      for (const [what, pieces, after] of [
        ["cut at each byte, or garbled, and ended", [...cut, ...garbled], "end"],
        ["cut at each byte and broken off", cut, "reset"],
        [
          "cut at each tenth byte, with an enormous name, or begun again, and left",
          [...cut.filter((_, at) => at % 10 === 0), ...long, ...again],
          "hold",
        ],
      ] as const) {
        const base64 = pieces.map((piece) => piece.toString("base64"));
        const borne = await bear({
          what: `${pieces.length} handshakes, ${what}`,
          processes,
          others,
          deed: async () => rude?.do("pieces", { to, from: [one, two, three], base64, after }),
        });
        process.stderr.write(`borne for ${borne.result?.longestMs} ms at most\n`);
        expect(borne.result?.longestMs).toBeLessThan(8_000);
        bounded(borne, 500);
        allAnswered(borne);
      }
    });

    it.each([
      ["without a token, each on a connection of its own", true, "one"],
      ["without a token", false, "two"],
      ["with a token", false, "three"],
    ])("answers others while requests pour in %s", async (what, fresh, who) => {
      const headers = who === "three" ? { authorization: `Bearer ${token}` } : {};
      const from = { one, two, three }[who] ?? one;
      const borne = await bear({
        what: `a flood of requests ${what}`,
        processes,
        others,
        deed: async () =>
          rude?.do("requests", {
            to: { ...to, localAddress: from },
            tls,
            path: "/v1/apps",
            headers,
            connections: 50,
            fresh,
            ms: 2_000,
          }),
      });
      process.stderr.write(
        `it asked ${borne.result?.asked} times and heard ${JSON.stringify(borne.result?.statuses)}\n`,
      );
      expect(borne.result?.asked).toBeGreaterThan(50);
      bounded(borne, 300);
      allAnswered(borne);
    });

    it("is then the same process", async () => {
      expect((await world.status()).daemon.pid).toBe(processes["perchd"]);
    });
  },
);
