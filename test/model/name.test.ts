import { describe, expect, it } from "vitest";
import {
  checkAppName,
  checkIdentifier,
  checkRegion,
  identifierOfApp,
  isIdentifier,
  printable,
} from "../../src/model/name.ts";

describe("an app's name", () => {
  it.each(["a", "web", "web-2", "a--b", "x9", "a".repeat(63)])("may be %s", (name) => {
    expect(checkAppName(name)).toBe(name);
  });

  it.each([
    ["", "it is empty"],
    ["a".repeat(64), "it has 64 characters, more than 63"],
    ["1web", "it begins with a digit"],
    ["-web", "it begins with a dash"],
    ["web-", "it ends with a dash"],
    ["Web", "it has upper-case letters"],
    ["web_2", "characters other than a-z, 0-9 and -"],
    ["web.internal", "characters other than"],
    ["wéb", "characters other than"],
    ["ＷＥＢ", "characters other than"],
    ["we b", "characters other than"],
    ["web\n", "characters other than"],
    ["../web", "characters other than"],
    ["😀", "characters other than"],
  ])("may not be %j", (name, why) => {
    expect(() => checkAppName(name)).toThrow(
      expect.objectContaining({ code: "name_invalid", message: expect.stringContaining(why) }),
    );
  });

  it("is shown in the error without its control characters", () => {
    expect(() => checkAppName("web\u001b[31m\u202e")).toThrow('app name "web\\u{1b}[31m\\u{202e}" is not valid');
  });

  it("is called what the caller calls it", () => {
    expect(() => checkAppName("", "cluster name")).toThrow('cluster name "" is not valid: it is empty');
  });
});

describe("a region", () => {
  it("may be any known code", () => {
    expect(checkRegion("ams")).toBe("ams");
    expect(checkRegion("yul")).toBe("yul");
  });

  it.each(["", "xxx", "AMS", "ams ", "a/../b", "am\0s", "__proto__", "constructor"])("may not be %j", (code) => {
    expect(() => checkRegion(code)).toThrow(expect.objectContaining({ code: "region_invalid" }));
  });

  it("is guessed from a mistyped one", () => {
    expect(() => checkRegion("amz")).toThrow('region "amz" is not known; did you mean ams?');
    expect(() => checkRegion("lhrr")).toThrow("did you mean lhr?");
    expect(() => checkRegion("zzz")).toThrow(/is not known$/);
  });
});

describe("a PostgreSQL identifier", () => {
  it.each([
    "web",
    "Web App",
    'quo"te',
    "'; drop table x; --",
    "é".repeat(31),
    "日本",
    "😀",
    "-",
    "select",
    "a".repeat(63),
  ])("may be %s", (name) => {
    expect(checkIdentifier(name, "database")).toBe(name);
  });

  it.each([
    ["", "it is empty"],
    ["a\0b", "NUL"],
    ["a\ud800", "half a surrogate pair"],
    ["a".repeat(64), "it has 64 bytes, more than 63"],
    ["é".repeat(32), "it has 64 bytes"],
    ["😀".repeat(16), "it has 64 bytes"],
    ["pg_web", "belong to PostgreSQL"],
    ["PG_web", "belong to PostgreSQL"],
    [".", "a URL cannot carry it"],
    ["..", "a URL cannot carry it"],
  ])("may not be %j", (name, why) => {
    expect(() => checkIdentifier(name, "database")).toThrow(
      expect.objectContaining({ code: "identifier_invalid", message: expect.stringContaining(why) }),
    );
  });

  it("is made of an app's name as flyctl makes it", () => {
    expect(identifierOfApp("my-web-2")).toBe("my_web_2");
  });
});

describe("foreign text in a message", () => {
  it("has its control and format characters escaped and is cut at 80 characters", () => {
    expect(printable("a\tb\u200bc\u007f")).toBe("a\\u{9}b\\u{200b}c\\u{7f}");
    expect(printable("é 日本 😀")).toBe("é 日本 😀");
    expect(printable("x".repeat(80))).toHaveLength(80);
    expect(printable("x".repeat(81))).toBe(`${"x".repeat(77)}…`);
  });
});

it("PostgreSQL is asked only about names that it may have", () => {
  expect(["pg_read_all_data", "Web", "a".repeat(63)].every(isIdentifier)).toBe(true);
  expect(["", "a\0", "\ud800", "a".repeat(64), "é".repeat(32)].some(isIdentifier)).toBe(false);
});
