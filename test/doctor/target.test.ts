import { expect, it } from "vitest";
import { targetOf } from "../../src/doctor/target.ts";

it("a URL is taken apart as libpq does", () => {
  expect(targetOf("postgres://we%40b:p%3Aw@pg.internal/web")).toEqual({
    user: "we@b",
    password: "p:w",
    host: "pg.internal",
    port: 5432,
    database: "web",
    sslmode: "prefer",
  });
  expect(targetOf("postgresql://web@[fdaa::1]:5433?sslmode=verify-full&sslrootcert=/ca.pem")).toMatchObject({
    host: "fdaa::1",
    port: 5433,
    database: "web",
    sslmode: "verify-full",
    sslrootcert: "/ca.pem",
  });
});

it("what is none of PostgreSQL's URLs is none", () => {
  for (const value of ["mysql://web@db/web", "pg.internal", "", "postgres://[", "host=pg.internal"])
    expect(targetOf(value)).toBe("not a URL");
});
