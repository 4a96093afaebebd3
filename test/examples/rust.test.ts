import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { makeAuthority } from "../../src/postgres/tls/certificate.ts";
import { cargoEnvironment, cargoTools } from "../support/cargo.ts";
import { attach, type Example, exampleOf } from "../support/example.ts";
import { missingTools } from "../support/tools.ts";

describe.skipIf(missingTools(...cargoTools))("examples/rust", () => {
  let rust: Example;
  const program = ["cargo", "run", "--offline", "--quiet"] as const;
  const withUrl = (more: string, authority: string) =>
    rust.runIn(
      "ams",
      "env",
      `PGSSLROOTCERT=${authority}`,
      "sh",
      "-c",
      `DATABASE_URL="$DATABASE_URL${more}" exec ${program.join(" ")}`,
    );

  beforeAll(async () => {
    rust = await exampleOf("rust");
    Object.assign(rust.env, cargoEnvironment("example"));
    await rust.prepare(["cargo", "build", "--locked"]);
    await attach(rust);
  }, 600_000);

  it("keeps its greeting on the leader, from whichever region it runs in", async () => {
    const { address } = await rust.world.leader();
    expect(await rust.run(...program)).toBe(`Hello, world! from ams, kept at ${address}\n`);
    expect((await rust.runIn("lhr", ...program)).stdout).toContain(`from lhr, kept at ${address}\n`);
    expect(await rust.rows("SELECT tableowner FROM pg_tables WHERE tablename = 'greetings'")).toEqual([
      { tableowner: "web" },
    ]);
  });

  it("encrypts as sslmode says, and knows the network's authority from another where one is named", async () => {
    await writeFile(join(rust.directory, "ca.pem"), await rust.world.ok("certs", "ca"));
    await writeFile(join(rust.directory, "other.pem"), (await makeAuthority("another network")).certificate);
    for (const mode of ["", "?sslmode=prefer", "?sslmode=require"]) {
      expect(await withUrl(mode, "ca.pem"), mode).toMatchObject({ code: 0 });
      expect(await withUrl(mode, "other.pem"), mode).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("certificate verify failed") as string,
      });
    }
    expect(await withUrl("?sslmode=disable", "other.pem")).toMatchObject({ code: 0 });
    expect(await withUrl("?sslmode=verify-full", "ca.pem")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("sslmode") as string,
    });
  });
});
