import { beforeAll, describe, expect, it } from "vitest";
import { attach, type Example, exampleOf } from "../support/example.ts";
import { missingTools } from "../support/tools.ts";
import { eventually } from "../support/world.ts";

describe.skipIf(missingTools("ruby -rpg -e 1"))("examples/ruby", () => {
  let ruby: Example;
  const sessions = async (): Promise<number> => {
    const [row] = await ruby.world.sql<{ sessions: number }>(
      (await ruby.world.leader()).id,
      "SELECT sessions::int FROM pg_stat_database WHERE datname = 'web'",
    );
    return row?.sessions ?? 0;
  };

  beforeAll(async () => {
    ruby = await exampleOf("ruby");
    await attach(ruby);
  });

  it("prints the connections that the leader has, its own with its query", async () => {
    const other = await ruby.world.connect((await ruby.world.leader()).id);
    const { rows } = await other.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const table = await ruby.run("ruby", "connections.rb");
    await other.end();
    expect(table).toMatch(/^ {5}PID \| User {13}\| Query\n/);
    expect(table).toMatch(new RegExp(`^ +${rows[0]?.pid} \\| postgres +\\| <insufficient privilege> $`, "m"));
    expect(table).toMatch(/^ +\d+ \| web {14}\| SELECT \* FROM pg_stat_activity $/m);
  });

  it("is one session of the app's database, as PostgreSQL counts", async () => {
    const before = await sessions();
    await ruby.run("ruby", "connections.rb");
    const { answer } = await eventually("the session is counted", async () =>
      (await sessions()) > before ? sessions() : undefined,
    );
    expect(answer).toBe(before + 1);
  });
});
