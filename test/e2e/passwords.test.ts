import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { processesOf } from "../support/traces.ts";
import { worldIn } from "../support/world.ts";

/**
 * Who has which password in a cluster whose operator's was made by Perch, and where it is to be read afterwards:
 * nowhere.
 */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql", "pgbouncer"))(
  "the passwords of a fresh cluster",
  () => {
    const world = worldIn();
    const { ok } = world;
    let password = "";
    /** As the operator, by `perch postgres connect`. */
    const ask = async (sql: string) => (await ok("postgres", "connect", "-a", "pg", "--", "-XqAtc", sql)).trim();
    const login = (user: string, secret: string) =>
      world.perch([
        "run",
        "--env",
        `PGPASSWORD=${secret}`,
        "--",
        "psql",
        "-h",
        "pg.internal",
        "-U",
        user,
        "-d",
        "postgres",
        "-XAtc",
        "SELECT 1",
      ]);

    beforeAll(async () => {
      await ok("up");
      ({ password } = await world.json<{ password: string }>(
        "postgres",
        "create",
        "--name",
        "pg",
        "--region",
        "ams",
        "--initial-cluster-size",
        "2",
      ));
      await ok("postgres", "pool", "on", "-a", "pg");
      await ok("apps", "create", "web");
      await ok("postgres", "attach", "pg", "--app", "web");
      await ok("postgres", "users", "rotate", "web", "-a", "pg");
    });

    afterAll(async () => {
      await ok("down");
    });

    it("are SCRAM verifiers with a salt each, of every role that may log in, and nobody is let in without one", async () => {
      const roles = (
        await ask("SELECT rolname || ' ' || coalesce(rolpassword, 'none') FROM pg_authid WHERE rolcanlogin ORDER BY 1")
      ).split("\n");
      expect(roles.map((line) => line.split(" ")[0])).toEqual([
        "perch",
        "perch_pooler",
        "postgres",
        "replicator",
        "web",
        "web.2",
      ]);
      for (const line of roles) expect(line).toMatch(/^\S+ SCRAM-SHA-256\$4096:[A-Za-z0-9+/]{22}==\$/);
      expect(new Set(roles.map((line) => line.split(/[:$]/)[2])).size, "salts").toBe(roles.length);
      expect(
        await ask("SELECT string_agg(DISTINCT auth_method, ' ') FROM pg_hba_file_rules WHERE auth_method <> 'reject'"),
      ).toBe("scram-sha-256");
      expect(password).toMatch(/^[A-Za-z0-9]{24}$/);
      expect((await login("postgres", password)).stdout, "the one that was shown is the right one").toBe("1\n");
    });

    it("are none that one could guess, on 5432 and on 6432", async () => {
      // All in one run: each line that is printed is one who came in.
      const script = `for port in 5432 6432; do for user in postgres perch replicator perch_pooler web web.2; do
      for guess in "$user" postgres password changeme " "; do
        echo "$port" >> "$1"; PGPASSWORD="$guess" psql -h pg.internal -p "$port" -U "$user" -d postgres -XAtc "SELECT '$user by $guess at $port'" 2>> "$1"
      done; done; done; true`;
      const log = join(temporaryDirectory(), "refusals");
      expect(await ok("run", "--", "sh", "-c", script, "sh", log)).toBe("");
      const said = readFileSync(log, "utf8").split("\n");
      expect(said.filter((line) => /^[56]432$/.test(line))).toHaveLength(2 * 6 * 5);
      expect(said.filter((line) => /FATAL/.test(line)).length, "each was refused").toBeGreaterThanOrEqual(2 * 6 * 5);
    });

    it("of two clusters are not the same", async () => {
      const second = await world.json<{ password: string }>(
        "postgres",
        "create",
        "--name",
        "second",
        "--region",
        "ams",
      );
      expect(second.password).not.toBe(password);
    });

    it("of the operator is shown by create, and by nothing afterwards", async () => {
      const commands = [
        ["status"],
        ["apps", "list"],
        ["secrets", "list", "-a", "pg"],
        ["secrets", "list", "-a", "web"],
        ["postgres", "list"],
        ["postgres", "status", "-a", "pg"],
        ["postgres", "users", "list", "-a", "pg"],
        ["postgres", "db", "list", "-a", "pg"],
        ["postgres", "config", "show", "-a", "pg", "--all"],
        ["postgres", "pool", "status", "-a", "pg"],
        ["postgres", "exposures"],
        ["machine", "list"],
        ["doctor", "-a", "pg"],
        ["doctor", "-a", "web"],
        ["events", "-n", "1000"],
        ["logs", "-a", "pg", "-n", "1000"],
      ];
      for (const command of commands) {
        for (const json of [[], ["--json"]]) {
          const { code, stdout, stderr } = await world.perch([...command, ...json]);
          expect(code, [...command, ...json].join(" ")).toBe(0);
          expect(stdout.length, command.join(" ")).toBeGreaterThan(1);
          expect(`${stdout}${stderr}`.includes(password), [...command, ...json].join(" ")).toBe(false);
        }
      }
      expect((await world.perch(["run", "-a", "web", "--", "env"])).stdout).not.toContain(password);
      expect((await ok("postgres", "restart", "-a", "pg")).includes(password)).toBe(false);
    });

    it("stand in no file of the home and in no process", async () => {
      const url = await world.url();
      const secrets = [password, decodeURIComponent(new URL(url).password)];
      const files = filesIn(world.root);
      expect(files.length, "files seen").toBeGreaterThan(1_000);
      expect(files.some((path) => path.endsWith("perch.db")) && files.some((path) => path.endsWith("perchd.log"))).toBe(
        true,
      );
      const found = files.filter((path) => secrets.some((secret) => contentOf(path).includes(secret)));
      expect(found).toEqual([]);
      const processes = await processesOf(world.root);
      expect(processes.length, "processes seen").toBeGreaterThan(5);
      const texts = processes.map(({ pid, command }) => ({
        command,
        text: contentOf(`/proc/${pid}/cmdline`) + contentOf(`/proc/${pid}/environ`),
      }));
      expect(
        texts.filter(({ text }) => secrets.some((secret) => text.includes(secret))).map(({ command }) => command),
      ).toEqual([]);
    });
  },
);

const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);

/** Bytes as letters: what has gone in the meantime is empty. */
function contentOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
