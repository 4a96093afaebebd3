import { describe, expect, it } from "vitest";
import { nameConstraintsDer, permits } from "../../../src/postgres/tls/name-constraints.ts";

const constraints = { domains: ["internal", "localhost"], networks: ["fdaa:1:2::/48", "127.0.0.0/8", "::1/128"] };
const may = (name: string[], addresses: string[] = []) => permits(constraints, { names: name, addresses });

describe("an authority that is constrained", () => {
  it.each([
    [
      ["pg.internal", "*.pg.internal", "localhost"],
      ["fdaa:1:2:3::10", "127.0.0.1", "::1"],
    ],
    [["internal"], []],
    [[], ["127.255.0.1"]],
  ])("may sign for %j and %j", (names, addresses) => {
    expect(may(names, addresses)).toBe(true);
  });

  it.each([
    [["db.example.com"], []],
    [["pg.internal", "internal.example.com"], []],
    [["evilinternal"], []],
    [[], ["fdaa:1:3::10"]],
    [[], ["128.0.0.1"]],
    [[], ["::2"]],
    [[], ["203.0.113.7"]],
  ])("may not sign for %j and %j", (names, addresses) => {
    expect(may(names, addresses)).toBe(false);
  });

  it("says so in DER, long forms of lengths included", () => {
    expect(nameConstraintsDer({ domains: ["a"], networks: ["10.0.0.0/9"] }).toString("hex")).toBe(
      "3013a0113003820161300a87080a000000ff800000",
    );
    const long = nameConstraintsDer({ domains: ["x".repeat(120), "y".repeat(120)], networks: [] });
    expect([long[0], long[1], long[2]]).toEqual([0x30, 0x81, long.length - 3]);
    const longer = nameConstraintsDer({ domains: Array.from({ length: 4 }, () => "z".repeat(100)), networks: [] });
    expect([longer[1], longer.readUInt16BE(2)]).toEqual([0x82, longer.length - 4]);
  });
});
