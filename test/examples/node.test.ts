import { cp } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { attachedApp } from "../support/attached.ts";
import { type perchIn, repository, runToEnd, succeeded } from "../support/perch.ts";
import { temporaryDirectory } from "../support/temporary.ts";

describe("examples/node", () => {
  let perch: ReturnType<typeof perchIn>;
  let app: string;

  beforeAll(async () => {
    app = temporaryDirectory();
    await cp(join(repository, "examples/node"), app, {
      recursive: true,
      filter: (path) => !path.endsWith("node_modules"),
    });
    succeeded(await runToEnd(["npm", "ci", "--no-audit", "--no-fund"], { cwd: app }));
    ({ perch } = await attachedApp());
  });

  it("greets through DATABASE_URL and works as the app's own role", async () => {
    const first = succeeded(await perch(["run", "-a", "web", "--", "npm", "start", "--silent"], { cwd: app }));
    expect(first).toBe("Hello world!\n1 visit(s), as web in web\n");
  });

  it("leaves its row in a table that the app's role owns, with the region of the run", async () => {
    succeeded(await perch(["run", "-a", "web", "--region", "lhr", "--", "node", "index.js"], { cwd: app }));
    const look = `
      const { Client } = await import("pg");
      const client = new Client({ connectionString: process.env.DATABASE_URL });
      await client.connect();
      const owner = await client.query("SELECT tableowner FROM pg_tables WHERE tablename = 'visits'");
      const visits = await client.query("SELECT region FROM visits ORDER BY at");
      console.log(JSON.stringify([owner.rows, visits.rows]));
      await client.end();`;
    const seen = succeeded(
      await perch(["run", "-a", "web", "--", "node", "--input-type=module", "-e", look], { cwd: app }),
    );
    const [owner, visits] = JSON.parse(seen) as [unknown[], { region: string }[]];
    expect(owner).toEqual([{ tableowner: "web" }]);
    expect(visits.at(-1)).toEqual({ region: "lhr" });
  });
});
