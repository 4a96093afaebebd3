import { memberPort } from "../../src/model/ports.ts";
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join, relative } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pause } from "../../src/base/deadline.ts";
import { freePort } from "../../src/host/sockets/ports.ts";
import { wireguardInterface } from "../../src/network/interface-names.ts";
import { issueCertificate, makeAuthority } from "../../src/postgres/tls/certificate.ts";
import { layout } from "../../src/postgres/instance/directory.ts";
import { type Ended, runToEnd, succeeded } from "../support/perch.ts";
import { type ProcWatch, watchProcesses } from "../support/proc-watch.ts";
import { textsBelow } from "../support/texts.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { netnsOf, processesOf } from "../support/traces.ts";
import { worldIn } from "../support/world.ts";

/**
 * Everything that takes or makes a secret is used once, with values that are found again, and once with a mistake
 * beside it. Then every place that is not meant to hold them is searched. One story.
 */
const mark = (name: string) => `${name}Mark${randomBytes(9).toString("hex")}`;

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql", "pgbouncer", "wg", "wireguard-go"))(
  "a secret",
  () => {
    const world = worldIn();
    const { root, home } = world;
    const elsewhere = temporaryDirectory();
    const scratch = join(elsewhere, "tmp");
    /** By what it is. */
    const secrets = new Map<string, string>();
    const given = (name: string, value = mark(name)): string => {
      secrets.set(name, value);
      return value;
    };
    /** All that was said by commands and answers that are not meant to show a secret. */
    const said: string[] = [];
    const statements = new Set<string>();
    let watch: ProcWatch;
    let seen: readonly string[] = [];
    let session: pg.Client | undefined;
    let looked = false;
    let looks = 0;

    /** In the environment of who types, and so of the command itself. */
    const ofTheShell = mark("shell");
    /** As an argument, which the help advises against: what is sampled would have shown the others, too. */
    const asArgument = mark("argument");
    const env = { TMPDIR: scratch, SOMEBODYS_KEY: ofTheShell };
    const type = (args: string[], input?: string): Promise<Ended> =>
      world.perch(args, { env, ...(input === undefined ? {} : { input }) });
    /** A command of which nothing may show a secret. */
    const quiet = async (args: string[], input?: string): Promise<Ended> => {
      const ended = await type(args, input);
      said.push(`${args.join(" ")}\n${ended.stdout}\n${ended.stderr}`);
      return ended;
    };
    const ok = async (args: string[], input?: string) => succeeded(await quiet(args, input));
    const fails = async (args: string[], input?: string) => {
      if ((await quiet(args, input)).code === 0) throw new Error(`perch ${args.join(" ")} succeeded`);
    };
    /** One whose standard output is what shows it, this once. */
    const shows = async (args: string[], input?: string) => {
      const ended = await type(args, input);
      said.push(`${args.join(" ")}\n${ended.stderr}`);
      return succeeded(ended);
    };
    const api = (method: string, path: string, body: string) =>
      new Promise<void>((resolve, reject) => {
        const request = http.request(
          { socketPath: home.socket, method, path, headers: { "content-type": "application/json" } },
          (response) => {
            const chunks: string[] = [];
            response.setEncoding("utf8").on("data", (chunk: string) => chunks.push(chunk));
            response.on("end", () => {
              said.push(`${method} ${path.slice(0, 20)}\n${response.statusCode} ${chunks.join("")}`);
              resolve();
            });
          },
        );
        request.on("error", reject);
        request.end(body);
      });
    const found = (where: string, text: string): string[] =>
      [...secrets].filter(([, value]) => text.includes(value)).map(([name]) => `${name} in ${where}`);

    async function useAll(): Promise<void> {
      await ok(["up"]);
      await shows(
        ["postgres", "create", "--name", "pg", "--region", "ams", "--initial-cluster-size", "2", "--password", "-"],
        given("operator"),
      );
      await watchStatements();
      // PostgreSQL tells all that it can.
      await ok([
        "postgres",
        "config",
        "update",
        "-a",
        "pg",
        "log_statement=all",
        "log_min_duration_statement=0",
        "log_connections=on",
      ]);
      for (const app of ["web", "other"]) await ok(["apps", "create", app]);
      await ok(["postgres", "attach", "pg", "--app", "web"]);
      await ok(["postgres", "pool", "on", "-a", "pg"]);
      await shows(["postgres", "users", "create", "joe", "-a", "pg", "-p", "-"], given("user"));
      await shows(["postgres", "users", "rotate", "joe", "-a", "pg", "-p", "-"], given("rotated"));
      await ok(["secrets", "set", "-a", "web", "API_KEY=-"], given("secret"));
      await ok(
        ["secrets", "import", "-a", "web"],
        `ONE=${given("imported")}\nTWO="""\nfirst\n${given("lines")}\n"""\n`,
      );
      await ok(
        ["secrets", "set", "-a", "web", "WRONG_URL=-"],
        `postgres://joe:${given("wrongUrl")}@nobody.internal:5432/web`,
      );
      await ok(["secrets", "set", "-a", "web", "NO_URL=-"], `postgres://joe:${given("noUrl")}@[pg:x/web`);
      await ok(
        ["secrets", "set", "-a", "web", "PASS_URL=-"],
        `postgres://joe:${given("wrongPassword")}@pg.internal:5432/web`,
      );
      await ok(["secrets", "rekey"]);
      const config = join(elsewhere, "laptop.conf");
      await ok(["wireguard", "create", "laptop", config, "--endpoint", "203.0.113.1"]);
      given("peer", /PrivateKey = (\S+)/.exec(readFileSync(config, "utf8"))?.[1]);
      const door = `127.0.0.1:${await freePort()}`;
      const files = { chain: join(elsewhere, "chain.pem"), key: join(elsewhere, "key.pem") };
      const authority = await makeAuthority("somebody");
      const { certificate, key } = await issueCertificate(authority, {
        commonName: "db.example.com",
        names: ["db.example.com"],
        addresses: [],
      });
      writeFileSync(files.chain, `${certificate}\n${authority.certificate}`);
      writeFileSync(files.key, key, { mode: 0o600 });
      given("exposure", key.split("\n")[2]);
      await ok([
        "postgres",
        "expose",
        "-a",
        "pg",
        "--hostname",
        "db.example.com",
        "--listen",
        door,
        "--cert",
        files.chain,
        "--key",
        files.key,
      ]);
      const remote = `127.0.0.1:${await freePort()}`;
      await ok(["remote", "on", "--listen", remote]);
      const { token } = JSON.parse(await shows(["tokens", "create", "ci", "--scope", "admin", "--json"])) as {
        token: string;
      };
      given("token", token);
      await ok(["login", remote], token);
      await ok(["--host", remote, "secrets", "set", "-a", "web", "REMOTE=-"], given("remote"));
      await ok(["run", "-a", "web", "--", "psql", "-Atc", "SELECT 1"]);
      await ok(["run", "-a", "web", "--", "psql", "-p", "6432", "-Atc", "SELECT 1"]);
      // What Perch made by itself.
      const all = JSON.parse(
        await shows(["run", "-a", "pg", "--", process.execPath, "-p", "JSON.stringify(process.env)"]),
      ) as Record<string, string>;
      for (const name of ["SU_PASSWORD", "REPL_PASSWORD", "POOL_PASSWORD"]) given(name, all[name]);
      given("app", new URL((await shows(["run", "-a", "web", "--", "printenv", "DATABASE_URL"])).trim()).password);
      given("key", readFileSync(home.key, "utf8").trim());
      const inside = ["nsenter", `--net=${netnsOf(root)}`, "--"];
      given(
        "network",
        succeeded(await runToEnd([...inside, "wg", "show", wireguardInterface(home.id), "private-key"])).trim(),
      );
    }

    async function makeMistakes(): Promise<void> {
      await fails(["postgres", "users", "create", "joe", "-a", "pg", "-p", "-"], given("existing"));
      await fails(["postgres", "users", "create", "ann", "-a", "pg", "-p", "-"], `${given("control")}\u0007`);
      await fails(["postgres", "users", "rotate", "nobody", "-a", "pg", "-p", "-"], given("nobody"));
      await fails(["postgres", "create", "--name", "pg", "--region", "ams", "--password", "-"], given("again"));
      await fails(["secrets", "set", "-a", "nobody", "KEY=-"], given("noApp"));
      await fails(["secrets", "set", "-a", "web", "FLY_KEY=-"], given("ofFly"));
      await fails(["secrets", "import", "-a", "web"], `GOOD=1\n9BAD=${given("badName")}\n`);
      await fails(["secrets", "import", "-a", "web"], `GOOD=1\n${given("badLine")} and nothing else\n`);
      await fails(["secrets", "import", "-a", "web"], `GOOD="""\n${given("endless")}\n`);
      await fails(["login", "127.0.0.1:1"], `perch_${given("notAToken")}`);
      for (const variable of ["WRONG_URL", "NO_URL", "PASS_URL", "API_KEY"])
        await quiet(["doctor", "-a", "web", "--variable", variable]);
      await quiet(["doctor", "-a", "web", "--variable", "WRONG_URL", "--json"]);
      await api("PUT", "/v1/apps/web/secrets", `{"secrets": {"KEY": "${given("noJson")}"`);
      await api("PUT", "/v1/apps/web/secrets", JSON.stringify({ secrets: { KEY: [given("noText")] } }));
      await api("PUT", "/v1/apps/web/secrets", JSON.stringify({ secret: { KEY: given("noField") } }));
      await api("PUT", "/v1/apps/web/secrets", JSON.stringify({ secrets: { KEY: `${given("nul")}\0` } }));
      await api("POST", "/v1/clusters/pg/users", JSON.stringify({ name: "joe", password: given("apiExisting") }));
      await api(
        "POST",
        "/v1/clusters/pg/users",
        JSON.stringify({ name: "eve", password: given("apiWrong").slice(0, 7).padEnd(200, secrets.get("apiWrong")) }),
      );
      await api(
        "POST",
        "/v1/clusters/pg/users/joe/rotate",
        JSON.stringify({ password: given("apiField"), because: "x" }),
      );
      await api("GET", "/openapi.json", "");
    }

    /** As PostgreSQL shows it to a superuser, all the time. */
    async function watchStatements(): Promise<void> {
      const { id } = await world.leader();
      session = new pg.Client({
        host: layout(home, id).sockets,
        port: memberPort,
        user: "postgres",
        password: secrets.get("operator"),
        database: "postgres",
      });
      session.on("error", () => undefined);
      await session.connect();
      const look = async () => {
        while (!looked) {
          const { rows } = (await session?.query<{ query: string }>("SELECT query FROM pg_stat_activity")) ?? {
            rows: [],
          };
          for (const { query } of rows) statements.add(query);
          looks++;
          await pause(20);
        }
      };
      look().catch(() => undefined);
    }

    beforeAll(async () => {
      mkdirSync(scratch);
      watch = watchProcesses();
      await useAll();
      await makeMistakes();
      succeeded(await type(["secrets", "set", "-a", "web", `ARGUMENT=${asArgument}`]));
      await ok(["events", "--last", "10000", "--json"]);
      await ok(["logs", "-a", "pg", "-n", "10000"]);
      seen = watch.stop();
    });

    afterAll(async () => {
      looked = true;
      await session?.end();
      await type(["down"]);
    });

    it("is in no list of processes, nor in the environment of anything but the apps it is for", () => {
      expect(watch.samples()).toBeGreaterThan(100);
      expect(seen.filter((text) => text.startsWith("cmdline") && text.includes(home.runtime)).length).toBeGreaterThan(
        5,
      );
      expect(seen.some((text) => text.startsWith("cmdline") && text.includes(asArgument))).toBe(true);
      expect(
        seen.flatMap((text) => found(text.startsWith("cmdline") ? text.slice(0, 300) : "an environment", text)),
      ).toEqual([]);
    });

    it("is in nothing that a command, an error, an event, a log or the API says, but where it is shown once", () => {
      expect(said.length).toBeGreaterThan(45);
      expect(said.join("\n")).toContain('"openapi":"3.1.0"');
      expect(said.flatMap((text) => found(text.slice(0, 300), text))).toEqual([]);
    });

    it("is in no statement that PostgreSQL shows or, told to log all, logs: passwords go as verifiers", () => {
      const logs = readdirSync(home.postgres)
        .filter((name) => /^[0-9a-f]{14}$/.test(name))
        .flatMap((name) => textsBelow(join(home.postgres, name, "log")));
      expect(looks).toBeGreaterThan(100);
      expect(statements.size).toBeGreaterThan(3);
      expect(logs.map(({ text }) => text).join("\n")).toContain("pg_stat_activity");
      expect([...statements].flatMap((text) => found(text, text))).toEqual([]);
      expect(logs.flatMap(({ path, text }) => found(path, text))).toEqual([]);
      // A verifier is seen by superusers alone, who can read it in pg_authid as well; in a log it would be found by
      // others.
      expect(logs.filter(({ text }) => text.includes("SCRAM-SHA-256$"))).toEqual([]);
    });

    it("is in no file of the home or the runtime directory but the one that is for it", () => {
      const files = [...textsBelow(root), ...textsBelow(home.runtime)];
      expect(files.length).toBeGreaterThan(1_000);
      const meant: Readonly<Record<string, RegExp>> = {
        key: /^secret\.key$/,
        token: /^logins\/[^/]+\.json$/,
        exposure: /^postgres\/[0-9a-f]{14}\/tls\/server\.key$/,
        REPL_PASSWORD: /^postgres\/[0-9a-f]{14}\/pass$/,
        POOL_PASSWORD: /^postgres\/pool\/pg\/[^/]+\/users\.txt$/,
      };
      const holders = files.flatMap(({ path, text }) =>
        [...secrets]
          .filter(([, value]) => text.includes(value))
          .map(([name]) => ({ name, path: relative(root, path) })),
      );
      expect(holders.filter(({ name, path }) => meant[name]?.test(path) !== true)).toEqual([]);
      // Those that are meant to hold one do: what is searched for is what is kept.
      expect(new Set(holders.map(({ name }) => name))).toEqual(new Set(Object.keys(meant)));
    });

    it("is in no file that was left elsewhere", () => {
      expect(textsBelow(scratch).map(({ path }) => path)).toEqual([]);
    });

    it("of the shell that typed perch up is in the environment of nothing that Perch runs", async () => {
      const running = await processesOf(root);
      expect(running.length).toBeGreaterThan(7);
      const environ = (pid: number) => readFileSync(`/proc/${pid}/environ`, "latin1");
      expect(running.filter(({ pid }) => environ(pid).includes(ofTheShell)).map(({ command }) => command)).toEqual([]);
    });

    it("is in no core: no process that Perch runs may leave one", async () => {
      const limits = (await processesOf(root)).map(
        ({ pid, command }) =>
          `${/Max core file size +(\S+ +\S+)/.exec(readFileSync(`/proc/${pid}/limits`, "utf8"))?.[1]} ${command}`,
      );
      expect(limits.filter((line) => !/^1 +1 /.test(line))).toEqual([]);
      for (const program of [
        "daemon/main.js",
        "dns/main.js",
        "ingress/main.js",
        "postgres -D",
        "pgbouncer",
        "wireguard-go",
      ])
        expect(limits.join("\n")).toContain(program);
    });
  },
);
