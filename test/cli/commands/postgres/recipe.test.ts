import { describe, expect, it } from "vitest";
import { fromOf } from "../../../../src/cli/commands/postgres/recipe.ts";

const none = { inside: false, tunnel: false, external: undefined };
const hostOf = (external: string) => fromOf({ ...none, external });

describe("postgres recipe", () => {
  it("is written for the inside unless told otherwise", () => {
    expect(fromOf(none)).toEqual({ way: "inside" });
    expect(fromOf({ ...none, inside: true })).toEqual({ way: "inside" });
    expect(fromOf({ ...none, tunnel: true })).toEqual({ way: "tunnel" });
  });

  it("takes a host of the outside with or without its port, and an IPv6 address with or without brackets", () => {
    expect(hostOf("db.example.com")).toEqual({ way: "external", host: "db.example.com:5432" });
    expect(hostOf("db.example.com:6000")).toEqual({ way: "external", host: "db.example.com:6000" });
    expect(hostOf("2001:db8::1")).toEqual({ way: "external", host: "[2001:db8::1]:5432" });
    expect(hostOf("[2001:db8::1]:6000")).toEqual({ way: "external", host: "[2001:db8::1]:6000" });
  });

  it("refuses two ways at once, and what is no host", () => {
    expect(() => fromOf({ inside: true, tunnel: true, external: undefined })).toThrow(
      "choose one of --inside, --tunnel and --external",
    );
    for (const wrong of ["", "a b", "postgres://db", "db:0", "db:70000", "db'; rm", "[::1"])
      expect(() => hostOf(wrong), wrong).toThrow("is not HOST");
  });
});
