import { describe, expect, it } from "vitest";
import { maskUrl, redact } from "../../src/base/redact.ts";

describe("redacted text", () => {
  it.each([
    ["postgres://web:hunter2@pg.internal:5432/web", "postgres://web:***@pg.internal:5432/web"],
    ["postgresql://web:p%40ss@[fdaa::1]/web?sslmode=require", "postgresql://web:***@[fdaa::1]/web?sslmode=require"],
    ["to postgres://:hunter2@h/ and redis://u:hunter2@h/1.", "to postgres://:***@h/ and redis://u:***@h/1."],
    [`${"x".repeat(40)}postgres://web:hunter2@h`, `${"x".repeat(40)}postgres://web:***@h`],
    ["postgres://web:a@b@c@host/db", "postgres://web:***@host/db"],
    ["password=hunter2 host=pg", "password=*** host=pg"],
    ["PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"],
    ["POSTGRES_PASSWORD: hunter2", "POSTGRES_PASSWORD: ***"],
    ["user=web password='hun ter''2' host=pg", "user=web password=*** host=pg"],
    ['password = "hun \\"ter2"', "password = ***"],
    ['{"password":"hunter2","user":"web"}', '{"password":***,"user":"web"}'],
    ["API_TOKEN=hunter2;CLIENT_SECRET=hunter2", "API_TOKEN=***;CLIENT_SECRET=***"],
    ["https://h/?a=1&token=hunter2&b=2", "https://h/?a=1&token=***&b=2"],
    ["ALTER ROLE web PASSWORD 'hun''ter2'", "ALTER ROLE web PASSWORD '***'"],
    ["create user web encrypted password  E'hunter2' login", "create user web encrypted PASSWORD '***' login"],
    ["perch postgres create --password hunter2 --name pg", "perch postgres create --password *** --name pg"],
    ["perch postgres create --password=hunter2", "perch postgres create --password=***"],
    ["SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy", "SCRAM-SHA-256$***"],
    ["line one\npassword=hunter2\nline three", "line one\npassword=***\nline three"],
  ])("hides the secret in %s", (text, shown) => {
    expect(redact(text)).toBe(shown);
  });

  it.each([
    "postgres://pg.internal:5432/web",
    "http://localhost:8080/path",
    'password authentication failed for user "web"',
    "secret DATABASE_URL of web was set",
    "the pg_hba.conf line says scram-sha-256",
    'LOG:  listening on IPv6 address "fdaa::1", port 5433',
    "",
  ])("is as it was where there is no secret: %s", (text) => {
    expect(redact(text)).toBe(text);
  });

  it("is the same when it is redacted again", () => {
    const once = redact("postgres://web:hunter2@h/db password='x' PASSWORD 'y' --password z SCRAM-SHA-256$1:a$b:c");
    expect(redact(once)).toBe(once);
  });

  it("takes no long time over long text that nearly matches", () => {
    const began = performance.now();
    for (const piece of ["a.", "a://b:", "password", "password=", "PASSWORD 'x", "--a-", "a:b@"])
      redact(piece.repeat(20_000));
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe("a masked URL", () => {
  it("shows all but its password", () => {
    expect(maskUrl("postgres://web:hunter2@pg.internal:5432/web")).toBe("postgres://web:***@pg.internal:5432/web");
    expect(maskUrl("postgres://web:a@b@pg.internal/web")).toBe("postgres://web:***@pg.internal/web");
    expect(maskUrl("postgres://web@pg.internal/web")).toBe("postgres://web@pg.internal/web");
  });
});
