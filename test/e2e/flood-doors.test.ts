import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Exposure } from "../../src/api/schemas.ts";
import { hostAddress, type Internet, internet, sessionOver } from "../support/internet.ts";
import { repository, runToEnd, succeeded } from "../support/perch.ts";
import { bear, type Borne } from "../support/rude/abuse.ts";
import { clientHello } from "../support/rude/hello.ts";
import { type Rude, rudeClient } from "../support/rude/rude.ts";
import { asking } from "../support/rude/vitals.ts";
import { missingTools } from "../support/tools.ts";
import { processesOf } from "../support/traces.ts";
import { eventually, worldIn } from "../support/world.ts";

const allAnswered = ({ others }: Borne<unknown>) => {
  for (const [who, { asked, answered }] of Object.entries(others))
    expect(`${who}: ${answered} of ${asked}`).toBe(`${who}: ${asked} of ${asked}`);
};
const bounded = ({ vitals }: Borne<unknown>, name: string, descriptors: number) => {
  const { before, most } = vitals[name] ?? {
    before: { descriptors: 0, megabytes: 0 },
    most: { descriptors: Infinity, megabytes: Infinity },
  };
  expect(most.descriptors - before.descriptors).toBeLessThan(descriptors);
  expect(most.megabytes - before.megabytes).toBeLessThan(64);
};
/** What PostgreSQL asks before TLS. */
const wantsTls = Buffer.from("0000000804d2162f", "hex");

describe.skipIf(missingTools("ip", "nft", "nsenter", "psql", "unshare --net true"))(
  "a public door among rude clients",
  () => {
    const port = 5432;
    const crowds = ["203.0.113.7", "203.0.113.8", "203.0.113.9"];
    const friend = "203.0.113.20";
    const world = worldIn();
    let net: Internet;
    let rude: Rude | undefined;
    let processes: Record<string, number> = {};
    let login: () => Promise<pg.Client>;
    let session: pg.Client;

    beforeAll(async () => {
      net = await internet([...crowds, friend]);
      succeeded(
        await runToEnd([...net.host, process.execPath, `${repository}/dist/cli/main.js`, "up"], {
          env: { PERCH_HOME: world.root },
        }),
      );
      await world.create("pg");
      const { password } = await world.json<{ password: string }>("postgres", "users", "create", "-a", "pg", "joe");
      await world.ok(
        "postgres",
        "expose",
        "-a",
        "pg",
        "--hostname",
        "db.example.com",
        "--listen",
        `${hostAddress}:${port}`,
      );
      const ssl = { ca: await world.ok("certs", "ca"), servername: "db.example.com" };
      login = async () =>
        sessionOver(await net.dial({ port, from: friend }), { user: "joe", password, database: "postgres", ssl });
      session = await login();
      rude = rudeClient(net.strangers);
      const door = (await processesOf(world.root)).find(({ command }) => command.includes("ingress/main"));
      processes = { door: door?.pid ?? 0, perchd: (await world.status()).daemon.pid };
    });
    afterAll(async () => {
      await session.end();
      await world.ok("down");
      await rude?.end();
    });

    const others = {
      queries: () => asking(() => session.query("SELECT 1"), 20),
      newcomers: () => asking(async () => (await login()).end(), 400),
      owner: () => asking(() => world.client.call("listApps", {}), 50),
    };
    const exposure = async (): Promise<Exposure | undefined> => (await world.client.call("listExposures", {}))[0];

    it("keeps 40 of each source's silent connections, of 10,000 from three, and lets others in meanwhile", async () => {
      const borne = await bear({
        what: "10,000 silent connections to a public door",
        processes,
        others,
        async deed() {
          const made = [];
          for (const localAddress of crowds)
            made.push(
              await rude?.do("crowd", { to: { host: hostAddress, port, localAddress }, count: 3_400, atOnce: 200 }),
            );
          const held = (await exposure())?.connections ?? 0;
          await rude?.do("leave", {});
          return { connected: made.reduce((sum, each) => sum + (each?.connected ?? 0), 0), held };
        },
      });
      process.stderr.write(`${borne.result.connected} were made, ${borne.result.held} were inside at the end\n`);
      expect(borne.result.held).toBeGreaterThan(30);
      expect(borne.result.held).toBeLessThanOrEqual(100);
      allAnswered(borne);
      bounded(borne, "door", 130);
      bounded(borne, "perchd", 20);
    });

    it("passes handshakes of TLS that are cut at each byte on to PostgreSQL, which is there for others", async () => {
      const hello = await clientHello("db.example.com");
      const base64 = Array.from({ length: 40 }, (_, at) =>
        Buffer.concat([wantsTls, hello.subarray(0, at * 8)]).toString("base64"),
      );
      const borne = await bear({
        what: "40 cut handshakes through a public door",
        processes,
        others,
        deed: async () => rude?.do("pieces", { to: { host: hostAddress, port }, from: crowds, base64, after: "end" }),
      });
      expect(borne.result?.longestMs).toBeLessThan(10_000);
      allAnswered(borne);
      bounded(borne, "door", 130);
      const { id } = await world.leader();
      await eventually("no server process is left", async () => {
        const [row] = await world.sql<{ n: number }>(
          id,
          "SELECT count(*)::int AS n FROM pg_stat_activity WHERE client_addr IS NOT NULL",
        );
        return (row?.n ?? 9) <= 1;
      });
    });
  },
);

describe.skipIf(missingTools("psql"))("portable mode's relay among rude clients", () => {
  const world = worldIn();
  let rude: Rude | undefined;
  let url: URL;
  let session: pg.Client;
  const login = async () => {
    const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 10_000 });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  };

  beforeAll(async () => {
    await world.ok("up", "--portable");
    await world.create("pg");
    await world.ok("apps", "create", "web", "--region", "ams");
    await world.ok("postgres", "attach", "pg", "--app", "web");
    url = new URL((await world.ok("run", "-a", "web", "--", "sh", "-c", 'echo "$DATABASE_URL"')).trim());
    session = await login();
    rude = rudeClient();
  });
  afterAll(async () => {
    await session.end();
    await world.ok("down");
    await rude?.end();
  });

  it("keeps 1,000 of 10,000 silent connections, dials for none of them, and lets others in meanwhile", async () => {
    const borne = await bear({
      what: "10,000 silent connections to the relay",
      processes: { perchd: (await world.status()).daemon.pid },
      others: {
        queries: () => asking(() => session.query("SELECT 1"), 20),
        newcomers: () => asking(async () => (await login()).end(), 100),
        owner: () => asking(() => world.client.call("listApps", {}), 50),
      },
      async deed() {
        const made = await rude?.do("crowd", {
          to: { host: "127.0.0.1", port: Number(url.port) },
          count: 10_000,
          atOnce: 200,
        });
        const { answer: open } = await eventually("the rest is hung up on", async () => {
          const left = (await rude?.do("count", {}))?.open ?? 10_000;
          return left <= 1_000 ? left : undefined;
        });
        await rude?.do("leave", {});
        return { ...made, open };
      },
    });
    expect(borne.result.open).toBeGreaterThan(900);
    allAnswered(borne);
    // One descriptor each: a dialled one would have two.
    bounded(borne, "perchd", 1_050);
  });
});
