import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Peer } from "../../src/api/schemas.ts";
import { makeKeyPair } from "../../src/base/x25519.ts";
import { isAlive } from "../../src/host/process/process.ts";
import type { ProcessIdentity } from "../../src/model/records.ts";
import { hostAddress, type Laptop, laptop, remoteHost } from "../support/laptop.ts";
import { repository, runToEnd, succeeded } from "../support/perch.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, timed, worldIn } from "../support/world.ts";
import { whileKilled } from "../support/while-killed.ts";

/** A laptop joins, roams and is shut out. One story: each test goes on where the one before it ended. */
const port = 51_820;

describe.skipIf(missingTools("ip", "nft", "nsenter", "psql", "ss", "wg", "wireguard-go", "unshare --net true"))(
  "a WireGuard door",
  () => {
    const world = worldIn();
    const { root, home, ok, json } = world;
    const directory = temporaryDirectory();
    const config = join(directory, "laptop.conf");
    let host: string[] = [];
    let resolver = "";
    let url = "";
    let first: Laptop;
    let second: Laptop;

    const onHost = (...argv: string[]) => runToEnd([...host, ...argv]);
    const up = async () =>
      succeeded(
        await runToEnd([...host, process.execPath, join(repository, "dist/cli/main.js"), "up"], {
          env: { PERCH_HOME: root },
        }),
      );
    const peers = () => json<Peer[]>("wireguard", "list");
    const peer = async (name: string) => (await peers()).find((one) => one.name === name);
    const psql = (on: Laptop, text: string, to = url) =>
      on.run(["psql", to, "-XAtc", text], { PGCONNECT_TIMEOUT: "20" });
    const at = (address: string, toPort: number) => url.replace(/@[^/]+/, `@[${address}]:${toPort}`);
    const daemon = () => JSON.parse(readFileSync(home.daemonFile, "utf8")) as ProcessIdentity;
    const note = join(home.runtime, "wireguard.json");
    const noted = () =>
      existsSync(note) ? (JSON.parse(readFileSync(note, "utf8")) as Partial<ProcessIdentity>) : undefined;
    const device = () => noted() ?? {};
    const aaaa = (name: string) => json<{ status: string; answers: { data: string }[] }>("dig", name);

    beforeAll(async () => {
      host = await remoteHost();
      await up();
      await world.create("pg", "--initial-cluster-size", "2");
      await ok("apps", "create", "web");
      await ok("postgres", "attach", "pg", "--app", "web");
      url = (await ok("run", "-a", "web", "--", "printenv", "DATABASE_URL")).trim();
      resolver = (await world.status()).network.resolver ?? "";
    });

    afterAll(async () => {
      await ok("down");
    });

    it("is not there before there is a peer, and says when this host cannot tell where it is found", async () => {
      expect(await world.error("wireguard", "create", "laptop", config)).toMatchObject({
        code: "endpoint_unknown",
        exit: 2,
      });
      expect(() => statSync(config)).toThrow("ENOENT");
      expect(await peers()).toEqual([]);
      expect((await onHost("ss", "-Hlun")).stdout).toBe("");
    });

    it("gives a peer its configuration in a file that only the owner reads, and keeps no copy of the key", async () => {
      const said = await ok("wireguard", "create", "laptop", config, "--endpoint", `${hostAddress}:${port}`);
      const text = readFileSync(config, "utf8");
      const prefix = resolver.replace("::3", "");
      const key = "[A-Za-z0-9+/]{43}=";
      expect(text).toMatch(
        new RegExp(
          `^\\[Interface\\]\nPrivateKey = ${key}\nAddress = ${prefix}::a:1/120\nDNS = ${resolver}\n\n` +
            `\\[Peer\\]\nPublicKey = ${key}\nAllowedIPs = ${prefix}::/48\nEndpoint = 203\\.0\\.113\\.1:${port}\nPersistentKeepalive = 15\n$`,
        ),
      );
      expect(statSync(config).mode & 0o777).toBe(0o600);
      const secret = /PrivateKey = (.*)/.exec(text)?.[1] ?? "";
      for (const kept of [said, readFileSync(home.log, "utf8"), readFileSync(home.store, "latin1")])
        expect(kept).not.toContain(secret);
    });

    it("writes over no file, and takes no name twice; then nothing is changed", async () => {
      const before = readFileSync(config, "utf8");
      expect(await world.error("wireguard", "create", "other", config, "--endpoint", hostAddress)).toMatchObject({
        code: "file_refused",
        exit: 2,
      });
      expect(
        await world.error("wireguard", "create", "laptop", `${config}.2`, "--endpoint", hostAddress),
      ).toMatchObject({ code: "peer_exists" });
      expect(() => statSync(`${config}.2`)).toThrow("ENOENT");
      expect(readFileSync(config, "utf8")).toBe(before);
      expect((await peers()).map(({ name }) => name)).toEqual(["laptop"]);
    });

    it("leads a laptop to the leader by the app's own URL, with the name that the network's resolver knows", async () => {
      first = await laptop(config);
      const { value } = await timed(
        "handshake, name, TLS and the first query",
        psql(first, "SELECT host(inet_client_addr()), pg_is_in_recovery()"),
      );
      expect(succeeded(value)).toBe(`${(await peer("laptop"))?.address}|f\n`);
      expect(url).toContain("@pg.internal:5432/");
      expect(await first.wg("show", "latest-handshakes")).toMatch(/\t[1-9]/);
      expect(await peer("laptop")).toMatchObject({ from: expect.stringMatching(/^198\.18\.0\.2:\d+$/) as string });
    });

    it("leads it to the leader by 5432 of a replica, and to the replica itself by 5433", async () => {
      const { address } = await world.replica();
      expect(succeeded(await psql(first, "SELECT pg_is_in_recovery()", at(address, 5432)))).toBe("f\n");
      expect(succeeded(await psql(first, "SELECT pg_is_in_recovery()", at(address, 5433)))).toBe("t\n");
    });

    it("gives a peer its name, inside and on the laptop", async () => {
      const found = await aaaa("laptop._peer.internal");
      expect(found.answers.map(({ data }) => data)).toEqual([(await peer("laptop"))?.address]);
      expect(succeeded(await first.run(["getent", "ahostsv6", "laptop._peer.internal"]))).toContain(
        `${found.answers[0]?.data} `,
      );
    });

    it("lets a peer at databases and names alone: what else listens inside refuses it", async () => {
      const app = `require("http").createServer((q, a) => a.end("hello")).listen(3000, () => console.log(process.env.FLY_PRIVATE_IP))`;
      const web = await world.begin(["run", "-a", "web", "--", process.execPath, "-e", app]);
      const { answer: address } = await eventually("the app listens", () => /fdaa\S+/.exec(web.stdout())?.[0]);
      const get = `fetch("http://[${address}]:3000/").then((r) => r.text()).then(console.log, (e) => console.log(e.cause.code))`;
      expect(succeeded(await world.perch(["run", "-a", "web", "--", process.execPath, "-e", get]))).toBe("hello\n");
      const { value, ms } = await timed("refused", first.run([process.execPath, "-e", get]));
      expect(value.stdout).toBe("EACCES\n");
      expect(ms).toBeLessThan(5_000);
      web.kill("SIGTERM");
      await web.ended;
    });

    it("leads a peer to no port of an app, be it one that databases or names have", async () => {
      const app = `let open = 0; for (const each of [5432, 5433, 6432, 6433]) require("net").createServer((s) => s.end("hello"))
      .listen(each, process.env.FLY_PRIVATE_IP, () => ++open === 4 && console.log(process.env.FLY_PRIVATE_IP))`;
      const web = await world.begin(["run", "-a", "web", "--", process.execPath, "-e", app]);
      const { answer: address } = await eventually("the app listens", () => /fdaa\S+/.exec(web.stdout())?.[0]);
      const dial = (to: string, toPort: number) => [
        process.execPath,
        "-e",
        `require("net").connect(${toPort},"${to}").on("data",(d)=>console.log(String(d))).on("error",(e)=>console.log(e.code))`,
      ];
      for (const each of [5432, 5433, 6432, 6433]) {
        expect(succeeded(await world.perch(["run", "-a", "web", "--", ...dial(address, each)])), String(each)).toBe(
          "hello\n",
        );
        expect((await first.run(dial(address, each))).stdout, String(each)).toBe("EACCES\n");
      }
      // Nor to one of names at an address that is no resolver's: neither an app's, nor a member's.
      for (const to of [address, (await world.leader()).address])
        expect((await first.run(dial(to, 53))).stdout).toBe("EACCES\n");
      web.kill("SIGTERM");
      await web.ended;
    });

    it("lets nobody in with another key", async () => {
      const wrong = join(directory, "wrong.conf");
      writeFileSync(
        wrong,
        readFileSync(config, "utf8").replace(/PrivateKey = .*/, `PrivateKey = ${makeKeyPair().privateKey}`),
        { mode: 0o600 },
      );
      const stranger = await laptop(wrong);
      const asking = await stranger.ask(resolver, "pg.internal");
      await eventually(
        "it has tried to shake hands",
        async () => Number((await stranger.wg("show", "transfer")).split("\t")[2]) > 0,
      );
      const { asked, lost } = await asking.stop();
      expect(lost).toBe(asked);
      expect(await stranger.wg("show", "latest-handshakes")).toMatch(/\t0$/);
      await stranger.leave();
    });

    it("goes on with a session when the laptop is somewhere else, by another address and port", async () => {
      const session = await first.begin([
        "psql",
        url,
        "-XAt",
        "-c",
        "SELECT 'begun'",
        "-c",
        "SELECT pg_sleep(2)",
        "-c",
        "SELECT 'still here'",
      ]);
      await eventually("the session has begun", () => session.stdout().includes("begun"));
      await first.move("198.18.0.2", "198.18.0.77");
      await first.wg("set", "listen-port", "40000");
      expect((await session.ended).stdout).toContain("still here");
      expect(await peer("laptop")).toMatchObject({ from: "198.18.0.77:40000" });
    });

    it("loses no packet when perchd is killed and another takes over, twice", async () => {
      const asking = await first.ask(resolver, "pg.internal");
      await eventually("it is answered", asking.answered);
      const before = device();
      for (let deaths = 0; deaths < 2; deaths++) {
        const old = daemon();
        process.kill(old.pid, "SIGKILL");
        await eventually("perchd is gone", async () => !(await isAlive(old)));
        await up();
        await eventually("the peers are known", async () => (await peer("laptop"))?.handshake !== null);
      }
      const { asked, lost } = await asking.stop();
      process.stderr.write(`over two deaths of perchd: ${lost} of ${asked} questions lost\n`);
      expect(lost).toBe(0);
      expect(asked).toBeGreaterThan(50);
      expect(device()).toEqual(before);
    });

    it("takes a second peer without disturbing the first", async () => {
      const asking = await first.ask(resolver, "pg.internal");
      await eventually("it is answered", asking.answered);
      const other = join(directory, "other.conf");
      await ok("wireguard", "create", "other", other, "--endpoint", `${hostAddress}:${port}`, "--region", "lhr");
      second = await laptop(other);
      expect(readFileSync(other, "utf8")).toMatch(/DNS = \S+::3:[0-9a-f]+\n/);
      expect(succeeded(await psql(second, "SELECT 1"))).toBe("1\n");
      expect(await asking.stop()).toMatchObject({ lost: 0 });
      expect(
        (
          await first.run([
            process.execPath,
            "-e",
            `fetch("http://[${(await peer("other"))?.address}]:1/").catch((e) => console.log(e.cause.code))`,
          ])
        ).stdout,
      ).not.toContain("ECONNREFUSED");
    });

    it("keeps a peer's connections waiting while the leader changes: none is refused", async () => {
      const connecting = `i=0; while [ $i -lt 40 ]; do psql '${url}' -XAtc 'SELECT 1' >/dev/null || echo failed; i=$((i+1)); done; echo all`;
      const loop = await first.begin(["sh", "-c", connecting]);
      await ok("postgres", "failover", "-a", "pg");
      const { stdout, stderr } = await loop.ended;
      // Who was connected when the old leader stopped is told so, once.
      const told =
        /terminating connection|shutting down|starting up|server closed the connection|abnormally|before or while|connection to server was lost|reset by peer/;
      expect(stderr.split("\n").filter((line) => line !== "" && !told.test(line))).toEqual([]);
      expect(stdout).toMatch(/^(failed\n){0,2}all\n$/);
    });

    it("ends the sessions of a peer that is removed at once, and knows its name no more; the other one stays", async () => {
      const session = await first.begin(["psql", url, "-XAtc", "SELECT pg_sleep(100)"]);
      const { address } = await world.leader();
      const leader = (await world.leader()).id;
      const backends = async () =>
        (
          await world.sql<{ count: string }>(
            leader,
            `SELECT count(*) FROM pg_stat_activity WHERE client_addr = '${resolver.replace("::3", "::a:1")}'`,
          )
        )[0]?.count;
      await eventually("the session is there", async () => (await backends()) === "1");
      const from = performance.now();
      await ok("wireguard", "remove", "laptop");
      const { stderr } = await session.ended;
      const told = performance.now() - from;
      expect(stderr).toMatch(/reset|closed the connection|abort/i);
      const { ms } = await eventually("the server has let go of it", async () => (await backends()) === "0");
      process.stderr.write(
        `from the command to the client's error: ${Math.round(told)} ms; the backend was gone ${Math.round(ms)} ms later\n`,
      );
      expect(told).toBeLessThan(3_000);
      expect((await aaaa("laptop._peer.internal")).status).toBe("NXDOMAIN");
      expect((await psql(first, "SELECT 1", `${at(address, 5432)}?connect_timeout=2`)).code).toBe(2);
      expect(succeeded(await psql(second, "SELECT 1"))).toBe("1\n");
      expect(await world.error("wireguard", "remove", "laptop")).toMatchObject({ code: "peer_not_found" });
    });

    it("is wireguard-go with the rights over interfaces and ports alone, where the kernel has none of its own", async () => {
      const { pid } = device();
      if (pid === undefined) return expect(await onHost("ip", "link", "help", "wireguard")).toBeDefined();
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const rights = (1n << 10n) | (1n << 12n); // CAP_NET_BIND_SERVICE, CAP_NET_ADMIN
      for (const set of ["CapPrm", "CapEff", "CapBnd"])
        expect(BigInt(`0x${new RegExp(`^${set}:\\s*(\\w+)$`, "m").exec(status)?.[1]}`), set).toBe(rights);
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    });

    it("goes on when a signal has stopped wireguard-go", async () => {
      const { pid } = device();
      if (pid === undefined) return expect(await onHost("ip", "link", "help", "wireguard")).toBeDefined();
      process.kill(pid, "SIGSTOP");
      await eventually("the peer is back", async () => (await psql(second, "SELECT 1")).code === 0, 60_000);
      expect(noted()?.pid).toBe(pid);
      await eventually("it is told", async () => (await ok("events")).includes("wireguard-go was stopped by a signal"));
    });

    it("is made again when wireguard-go dies, and the peer is back without being touched", async () => {
      // What it was heard at is noted every ten seconds.
      const kept = () =>
        [home.store, `${home.store}-wal`]
          .map((path) => (existsSync(path) ? readFileSync(path, "latin1") : ""))
          .join("");
      await eventually("it is known where the peer is", () => kept().includes('"endpoint":"198.18.2.2:'));
      const { pid } = device();
      if (pid === undefined) return expect(await onHost("ip", "link", "help", "wireguard")).toBeDefined();
      process.kill(pid, "SIGKILL");
      const { ms } = await eventually("another one runs", () => {
        const now = noted();
        return now?.pid !== undefined && now.pid !== pid;
      });
      const back = await eventually(
        "the peer is back",
        async () => (await psql(second, "SELECT 1")).code === 0,
        60_000,
      );
      process.stderr.write(
        `wireguard-go runs again after ${Math.round(ms)} ms; the peer has shaken hands after ${Math.round(back.ms)} ms\n`,
      );
      expect(back.ms).toBeLessThan(10_000);
      await eventually("it is told", async () =>
        (await ok("events")).includes("the WireGuard device was gone and is made again"),
      );
    });

    it("goes with perch down and comes back with perch up, for the same configuration", async () => {
      await ok("down");
      expect((await onHost("ss", "-Hlun")).stdout).toBe("");
      expect((await runToEnd(["wg", "show", "interfaces"])).stdout).not.toContain(home.id);
      await up();
      const { ms } = await eventually(
        "the peer is back",
        async () => (await psql(second, "SELECT 1")).code === 0,
        60_000,
      );
      process.stderr.write(`after down and up the peer has its answer within ${Math.round(ms)} ms\n`);
      expect(ms).toBeLessThan(10_000);
    });

    it("prints a configuration where no file is named, and a QR code where it is asked for", async () => {
      const plain = await world.perch(["wireguard", "create", "phone"]);
      expect(plain.code).toBe(2); // it has no address to tell
      const printed = await world.perch([
        "wireguard",
        "create",
        "phone",
        "stdout",
        "--endpoint",
        "vpn.example.com",
        "--qr",
      ]);
      expect(succeeded(printed)).toMatch(
        new RegExp(`^\\[Interface\\]\n[^]*\nEndpoint = vpn\\.example\\.com:${port}\n`),
      );
      expect(printed.stderr).toContain("█▀▀▀");
      expect(printed.stderr).not.toContain("PrivateKey");
      await ok("wireguard", "remove", "phone");
    });

    it("is shut when its last peer is removed, and whoever kills perchd meanwhile keeps no session", async () => {
      const session = await second.begin(["psql", url, "-XAtc", "SELECT 'begun'", "-c", "SELECT pg_sleep(100)"]);
      await eventually("the session has begun", () => session.stdout().includes("begun"));
      await whileKilled(world, (state) =>
        state.peers.update({ name: "other" }, (record) => ({ ...record, phase: "destroying" })),
      );
      expect((await onHost("ss", "-Hlun")).stdout).not.toBe("");
      await up();
      expect((await session.ended).stderr).toMatch(/reset|closed the connection|abort/i);
      await eventually("it is forgotten", async () => (await peers()).length === 0);
      expect(await world.error("wireguard", "remove", "other")).toMatchObject({ code: "peer_not_found" });
      expect((await onHost("ss", "-Hlun")).stdout).toBe("");
      await ok("wireguard", "create", "last", "stdout", "--endpoint", hostAddress);
      await ok("wireguard", "remove", "last");
      expect((await onHost("ss", "-Hlun")).stdout).toBe("");
      expect(
        (await onHost("nsenter", `--net=/run/netns/perch-${home.id}`, "--", "nft", "list", "table", "inet", "perch"))
          .stdout,
      ).not.toContain("chain peers");
    });
  },
);
