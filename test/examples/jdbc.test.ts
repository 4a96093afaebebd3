import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { makeAuthority } from "../../src/postgres/tls/certificate.ts";
import { attach, type Example, exampleOf } from "../support/example.ts";
import { missingTools } from "../support/tools.ts";

describe.skipIf(missingTools("java", "mvn"))("examples/jdbc", () => {
  let jdbc: Example;

  beforeAll(async () => {
    jdbc = await exampleOf("jdbc");
    await jdbc.prepare([
      "mvn",
      "-q",
      "-B",
      "dependency:copy-dependencies",
      "-DexcludeTransitive",
      "-DoutputDirectory=lib",
    ]);
    await jdbc.prepare(["sha256sum", "-c", "lib.sha256"]);
    await attach(jdbc);
  });

  it("keeps its greeting on the leader, from whichever region it runs in", async () => {
    const { address } = await jdbc.world.leader();
    expect(await jdbc.run("java", "-cp", "lib/postgresql-42.7.8.jar", "Main.java")).toBe(
      `Hello, world! from ams, kept at ${address}\n`,
    );
    expect((await jdbc.runIn("lhr", "java", "-cp", "lib/postgresql-42.7.8.jar", "Main.java")).stdout).toContain(
      `from lhr, kept at ${address}\n`,
    );
    expect(await jdbc.rows("SELECT tableowner FROM pg_tables WHERE tablename = 'greetings'")).toEqual([
      { tableowner: "web" },
    ]);
  });

  it("hands what stands behind the question mark to JDBC", async () => {
    await writeFile(join(jdbc.directory, "ca.pem"), await jdbc.world.ok("certs", "ca"));
    await writeFile(join(jdbc.directory, "other.pem"), (await makeAuthority("another network")).certificate);
    const verify = (file: string) =>
      jdbc.runIn(
        "ams",
        "sh",
        "-c",
        `DATABASE_URL="$DATABASE_URL?sslmode=verify-full&sslrootcert=${file}" exec java -cp lib/* Main.java`,
      );
    expect(await verify("ca.pem")).toMatchObject({ code: 0 });
    expect(await verify("other.pem")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("SSL error") as string,
    });
  });
});
