import { describe, expect, it } from "vitest";
import { redact } from "../../src/base/redact.ts";

describe("a password in SQL", () => {
  it.each([
    ["dollar quotes", "ALTER ROLE web PASSWORD $$hunter2$$ LOGIN", "ALTER ROLE web PASSWORD '***' LOGIN"],
    [
      "dollar quotes with a tag",
      "alter role web password $pw$hunter2 $$ hunter2$pw$;",
      "alter role web PASSWORD '***';",
    ],
    [
      "escapes of Unicode",
      "ALTER ROLE web PASSWORD U&'hun\\0074er2' UESCAPE '!'",
      "ALTER ROLE web PASSWORD '***' UESCAPE '!'",
    ],
    ["escapes", "ALTER ROLE web PASSWORD E'hunter2\\'hunter2' LOGIN", "ALTER ROLE web PASSWORD '***' LOGIN"],
    ["doubled quotes", "ALTER ROLE web PASSWORD 'hunter2''hunter2' LOGIN", "ALTER ROLE web PASSWORD '***' LOGIN"],
    ["nothing between", "ALTER ROLE web PASSWORD'hunter2'", "ALTER ROLE web PASSWORD '***'"],
    [
      "comments that nest between",
      "ALTER ROLE web PASSWORD /* a /* b */ 'c' */ -- d\n 'hunter2' LOGIN",
      "ALTER ROLE web PASSWORD '***' LOGIN",
    ],
    [
      "a literal that goes on in the next line",
      "ALTER ROLE web PASSWORD 'hunter2'\n  'hunter2' LOGIN",
      "ALTER ROLE web PASSWORD '***' LOGIN",
    ],
    ["a literal that is cut off", "ALTER ROLE web PASSWORD 'hunter2", "ALTER ROLE web PASSWORD '***'"],
    ["dollar quotes that are cut off", "ALTER ROLE web PASSWORD $a$hunter2 $", "ALTER ROLE web PASSWORD '***'"],
    ["a comment that is cut off", "ALTER ROLE web PASSWORD /* 'hunter2", "ALTER ROLE web PASSWORD '***'"],
    ["an assignment", "password := $$hun ter2$$;", "PASSWORD '***';"],
    [
      "the second of two",
      "ALTER ROLE a PASSWORD NULL; ALTER ROLE b PASSWORD N'hunter2'",
      "ALTER ROLE a PASSWORD NULL; ALTER ROLE b PASSWORD '***'",
    ],
    ["an assignment of PL/pgSQL", "password := 'hunter2'; x", "PASSWORD '***'; x"],
    ["an argument's name", "SELECT login(api_token => $$hunter2$$, b => 1)", "SELECT login(api_token '***', b => 1)"],
    [
      "an argument's name, and no literal",
      'f(password=>hunter2, secret => "hunter2")',
      "f(PASSWORD '***', secret '***')",
    ],
    ["a setting", "ALTER ROLE web SET app.password TO E'hunter2'", "ALTER ROLE web SET app.PASSWORD '***'"],
    ["a comment after an equals sign", "WHERE passwd = /* x */ 'hunter2' AND b", "WHERE passwd '***' AND b"],
    ["a literal of another kind after an equals sign", "SET x.token = U&'hunter2', b", "SET x.token '***', b"],
    [
      "a key that stands before it",
      "SELECT set_config('app.password', 'hunter2', false)",
      "SELECT set_config('app.password', '***', false)",
    ],
    [
      "a key of an object",
      `jsonb_build_object('client_secret' , $q$hunter2$q$)`,
      "jsonb_build_object('client_secret', '***')",
    ],
  ])("is hidden with %s", (_, text, shown) => {
    expect(redact(text)).toBe(shown);
    expect(redact(redact(text))).toBe(shown);
  });

  it.each([
    'password authentication failed for user "web"',
    "PASSWORD $1",
    "password -- none",
    "SET password_encryption = 'scram-sha-256'",
    "which token, 'x' or 'y'",
  ])("is not seen where there is none: %s", (text) => expect(redact(text)).toBe(text));

  it("takes no long time over long text that nearly matches", () => {
    const began = performance.now();
    for (const piece of [
      "PASSWORD ",
      "PASSWORD /*",
      "PASSWORD $a",
      "PASSWORD $$",
      "PASSWORD --\n",
      "PASSWORD '\\",
      "PASSWORD/**/",
    ])
      redact(piece.repeat(20_000));
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it.each([
    ["comments within comments", "PASSWORD /*".repeat(20_000) + "*/".repeat(20_000)],
    ["the same after an equals sign", "PASSWORD = /*".repeat(20_000) + "*/".repeat(20_000)],
    ["one line of comments", "PASSWORD -- ".repeat(100_000)],
    ["names of other secrets with comments within comments", "token /*".repeat(20_000) + "*/".repeat(20_000)],
    ["names with quotes and nothing after them", "'secret',".repeat(50_000)],
  ])("is looked for in %s no longer than in other text, and the rest is hidden rather than read again", (_, text) => {
    const began = performance.now();
    expect(redact(`${text} PASSWORD 'hunter2'`)).not.toContain("hunter2");
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
