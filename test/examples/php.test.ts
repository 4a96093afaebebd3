import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { makeAuthority } from "../../src/postgres/tls/certificate.ts";
import { attach, type Example, exampleOf } from "../support/example.ts";
import { missingTools, phpTools } from "../support/tools.ts";

describe.skipIf(missingTools(...phpTools))("examples/php", () => {
  let php: Example;
  const withUrl = (more: string) =>
    php.runIn("ams", "sh", "-c", `DATABASE_URL="$DATABASE_URL?${more}" exec php -d display_errors=stderr main.php`);

  beforeAll(async () => {
    php = await exampleOf("php");
    await attach(php);
  });

  it("keeps its greeting on the leader, from whichever region it runs in", async () => {
    const { address } = await php.world.leader();
    expect(await php.run("php", "main.php")).toBe(`Hello, world! from ams, kept at ${address}\n`);
    expect((await php.runIn("lhr", "php", "main.php")).stdout).toContain(`from lhr, kept at ${address}\n`);
    expect(await php.rows("SELECT tableowner FROM pg_tables WHERE tablename = 'greetings'")).toEqual([
      { tableowner: "web" },
    ]);
  });

  it("hands what stands behind the question mark to libpq", async () => {
    await writeFile(join(php.directory, "ca of pg's.pem"), await php.world.ok("certs", "ca"));
    await writeFile(join(php.directory, "other.pem"), (await makeAuthority("another network")).certificate);
    const verify = (file: string) =>
      withUrl(
        `sslmode=verify-full&sslrootcert=${encodeURIComponent(join(php.directory, file)).replaceAll("'", "%27")}`,
      );
    expect(await verify("ca of pg's.pem")).toMatchObject({ code: 0 });
    expect(await verify("other.pem")).toMatchObject({
      code: 255,
      stderr: expect.stringContaining("certificate verify failed") as string,
    });
    expect(await withUrl("sslmode=perhaps")).toMatchObject({
      code: 255,
      stderr: expect.stringContaining('invalid sslmode value: "perhaps"') as string,
    });
  });

  it("reads a role's name and password with the characters that a URL escapes", async () => {
    await php.rows(`CREATE ROLE "o'neil @ home" LOGIN PASSWORD 'a:b/c\\''"d e%' IN ROLE web`);
    const login = `${encodeURIComponent("o'neil @ home").replaceAll("'", "%27")}:${encodeURIComponent(`a:b/c\\'"d e%`).replaceAll("'", "%27")}`;
    const ended = await php.runIn(
      "ams",
      "env",
      `DATABASE_URL=postgres://${login}@pg.internal:5432/web`,
      "php",
      "main.php",
    );
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining("kept at") as string });
  });

  it("needs no URL at all: PGHOST and its kin are enough for PDO", async () => {
    expect(await php.run("php", "-r", "echo (new PDO('pgsql:'))->query('SELECT current_user')->fetchColumn();")).toBe(
      "web",
    );
    expect(
      await php.run(
        "php",
        "-r",
        "echo pg_fetch_result(pg_query(pg_connect(getenv('DATABASE_URL')), 'SELECT current_user'), 0, 0);",
      ),
    ).toBe("web");
  });
});
