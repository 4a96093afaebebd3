import { describe, expect, it } from "vitest";
import { addressCommands, routesText } from "../../src/network/rules.ts";

const atRest = 'flush chain inet perch door\nadd rule inet perch door iifname "perch-door" meta mark set 0\n';
const nobody = `flush map inet perch pool\nflush set inet perch held\nflush chain inet perch hold\n${atRest}`;

describe("routesText", () => {
  it("replaces the whole map in one transaction, in a stable order", () => {
    const leaders = new Map([
      ["fdaa:1:2:c::11", "fdaa:1:2:1::10"],
      ["fdaa:1:2:1::10", "fdaa:1:2:1::10"],
    ]);
    expect(routesText({ leaders, held: new Set(), pools: new Map() })).toBe(
      `flush map inet perch leader\nadd element inet perch leader { fdaa:1:2:1::10 : fdaa:1:2:1::10 . 5433, fdaa:1:2:c::11 : fdaa:1:2:1::10 . 5433 }\n${nobody}`,
    );
  });
  it("only empties it where no cluster has a leader", () => {
    expect(routesText({ leaders: new Map(), held: new Set(), pools: new Map() })).toBe(`flush map inet perch leader\n${nobody}`);
  });
  it("holds who has no leader just now, in the same transaction", () => {
    const text = routesText({ leaders: new Map(), held: new Set(["fdaa:1:2:c::11", "fdaa:1:2:1::10"]), pools: new Map() });
    expect(text).toContain(
      "add element inet perch held { fdaa:1:2:1::10, fdaa:1:2:c::11 }\nadd rule inet perch hold tcp dport { 5432, 6432 } ip6 daddr @held",
    );
  });
  it("lets who knocks from outside of the namespace knock again, rather than be refused", () => {
    const text = routesText({ leaders: new Map(), held: new Set(["fdaa:1:2:1::10"]), pools: new Map() });
    expect(text).toContain('door iifname != { "lo", "perch-door" } tcp dport { 5432, 6432 } ip6 daddr @held tcp flags & (syn | ack) == syn drop\n');
  });
});

describe("addressCommands", () => {
  it("adds what is missing and takes away what is not wanted any more", () => {
    expect(addressCommands("fdaa:1:2", ["::1", "fdaa::3", "fdaa:1:2:1::10"], ["fdaa::3", "fdaa:1:2:1::11"])).toEqual([
      "address add fdaa:1:2:1::11/128 dev lo nodad",
      "address delete fdaa:1:2:1::10/128 dev lo",
    ]);
  });
  it("leaves addresses alone that are not of this network", () => {
    expect(addressCommands("fdaa:1:2", ["::1", "fdaa:1:22::5"], [])).toEqual([]);
  });
  it("does nothing where all is as wanted", () => {
    expect(addressCommands("fdaa:1:2", ["fdaa::3"], ["fdaa::3"])).toEqual([]);
  });
});
