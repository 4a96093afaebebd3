import { describe, expect, it } from "vitest";
import { type Binaries, choose, parseVersion } from "../../../src/postgres/instance/binaries.ts";

describe("the version that postgres prints", () => {
  it.each([
    ["postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", { major: 15, version: "15.14" }],
    ["postgres (PostgreSQL) 18.4", { major: 18, version: "18.4" }],
    ["postgres (PostgreSQL) 18beta1", { major: 18, version: "18beta1" }],
    ["something else 15.1", undefined],
    ["", undefined],
  ])("%s", (text, version) => {
    expect(parseVersion(text)).toEqual(version);
  });
});

describe("of several PostgreSQLs", () => {
  const one = (major: number, directory = `/pg/${major}`): Binaries => ({
    directory,
    major,
    version: `${major}.1`,
    source: "system",
    has: { basebackup: true, rewind: true },
  });

  it("the newest supported is taken when none is wanted", () => {
    expect(choose([one(15), one(17), one(19), one(14)], undefined)?.major).toBe(17);
  });

  it("only the wanted major will do", () => {
    expect(choose([one(15), one(17)], 15)?.major).toBe(15);
    expect(choose([one(15), one(17)], 16)).toBeUndefined();
  });

  it("of two alike the first is taken", () => {
    expect(choose([one(15, "/first"), one(15, "/second")], 15)?.directory).toBe("/first");
  });
});
