import { expect, it } from "vitest";
import { freeLogin, loginsOf } from "../../src/model/login.ts";
import { checkIdentifier } from "../../src/model/name.ts";

it("a role is its own first login, and the others have a dot, which no app's role has", () => {
  expect(loginsOf("web").slice(0, 3)).toEqual(["web", "web.2", "web.3"]);
});

it.each(["web", "n".repeat(63), "é".repeat(31), "日本語".repeat(7), "😀".repeat(15), `${"n".repeat(61)}.2`])(
  "all logins of %s are names that PostgreSQL keeps",
  (user) => {
    for (const login of loginsOf(user)) expect(checkIdentifier(login, "user")).toBe(login);
  },
);

it("the first that is not taken is free, and when all are taken there is none", () => {
  expect(freeLogin("web", new Set())).toBe("web");
  expect(freeLogin("web", new Set(["web"]))).toBe("web.2");
  expect(freeLogin("web", new Set(["web.2"]))).toBe("web");
  expect(freeLogin("web", new Set(["web", "web.2", "web.3"]))).toBe("web.4");
  expect(freeLogin("web", new Set(loginsOf("web")))).toBeUndefined();
  const long = `${"n".repeat(61)}.2`;
  expect(freeLogin(long, new Set([long]))).toBe(`${"n".repeat(61)}.3`);
});
