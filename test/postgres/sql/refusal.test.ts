import pg from "pg";
import { describe, expect, it } from "vitest";
import { fail } from "../../../src/errors/error.ts";
import { holdersOf, isNotReady, toRefusal } from "../../../src/postgres/sql/refusal.ts";

const answered = (code: string): Error => {
  const error = new pg.DatabaseError("said no", 1, "error");
  error.code = code;
  return fail("sql_failed", { app: "pg", why: "said no" }, error);
};

describe("an error that a server answers a login with", () => {
  it.each(["28P01", "28000", "3D000", "53300", "42501"])("is an answer: %s", (code) => {
    const refusal = toRefusal(answered(code));
    expect(refusal).toMatchObject({ state: code });
    expect(refusal && isNotReady(refusal)).toBe(false);
  });

  it("is none from a socket where nobody listens", () => {
    expect(
      toRefusal(fail("sql_failed", { app: "pg", why: "connect ENOENT" }, new Error("connect ENOENT"))),
    ).toBeUndefined();
  });

  it("says of a server on its way up or down that it is not ready", () => {
    expect(isNotReady({ state: "57P03", why: "the database system is starting up" })).toBe(true);
  });
});

describe("whose the connections are", () => {
  it("is what the titles of a server's processes say, most first, and nothing of what is no client", () => {
    const titles = [
      "postgres: abc: checkpointer",
      "postgres: abc: web web fdaa:1::10(40000) idle",
      "postgres: abc: web web fdaa:1::10(40001) idle in transaction",
      "postgres: abc: postgres postgres [local] SELECT",
      "postgres: other: web web [local] idle",
      "postgres: abc: logical replication launcher",
      "/usr/lib/postgresql/15/bin/postgres -D data",
    ];
    expect(holdersOf(titles, "abc")).toEqual([
      { user: "web", connections: 2 },
      { user: "postgres", connections: 1 },
    ]);
  });
});
