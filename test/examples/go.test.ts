import { beforeAll, describe, expect, it } from "vitest";
import { attach, type Example, exampleOf } from "../support/example.ts";
import { missingTools } from "../support/tools.ts";

describe.skipIf(missingTools("go"))("examples/go", () => {
  let go: Example;
  const rows = () => go.rows("SELECT word, driver, server::text FROM greetings ORDER BY driver, word");

  beforeAll(async () => {
    go = await exampleOf("go");
    await go.prepare(["go", "build", "-mod=readonly", "-o", "hello", "."]);
    await go.prepare(["go", "build", "-mod=readonly", "-o", "copy", "./direct"]);
    await attach(go);
  });

  it("greets through database/sql, and the leader keeps it", async () => {
    const { address } = await go.world.leader();
    expect(await go.run("./hello")).toBe("Hello, world!\n");
    expect(await rows()).toEqual([{ word: "Hello, world!", driver: "database/sql", server: `${address}/128` }]);
  });

  it("copies through pgx itself, from another region, too", async () => {
    const { address } = await go.world.leader();
    expect((await go.runIn("lhr", "./copy")).stdout).toBe("2 words copied\n");
    expect((await rows()).slice(1)).toEqual(
      ["Hello", "world!"].map((word) => ({ word, driver: "pgx", server: `${address}/128` })),
    );
  });
});
