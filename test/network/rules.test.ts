import { describe, expect, it } from "vitest";
import { addressCommands, routesText } from "../../src/network/rules.ts";
import { holdSeconds, patienceSeconds, renewMs } from "../../src/network/held-connections.ts";

const door = `flush chain inet perch door
add rule inet perch door iifname "perch-wait" icmpv6 type nd-neighbor-solicit drop
add rule inet perch door iifname @shut_doors icmpv6 type nd-neighbor-solicit drop
add rule inet perch door iifname "perch-door" meta mark set 0
`;
const sets = "flush set inet perch held_addresses\nflush set inet perch shut_doors\n";
const nobody = `flush map inet perch pool\n${sets}flush chain inet perch hold\n${door}`;

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
    expect(routesText({ leaders: new Map(), held: new Set(), pools: new Map() })).toBe(
      `flush map inet perch leader\n${nobody}`,
    );
  });
  it("holds who has no leader just now, in the same transaction", () => {
    const text = routesText({
      leaders: new Map(),
      held: new Set(["fdaa:1:2:c::11", "fdaa:1:2:1::10"]),
      pools: new Map(),
    });
    expect(text).toContain(
      "add element inet perch held_addresses { fdaa:1:2:1::10 timeout 6s, fdaa:1:2:c::11 timeout 6s }\n" +
        'add element inet perch shut_doors { "perch-door" timeout 6s }\n',
    );
    expect(text).toContain("add rule inet perch hold tcp dport { 5432, 6432 } ip6 daddr @held_addresses");
  });
  it("ends each hold before the patience of whoever waits does, with a renewal or two missed in between", () => {
    expect(holdSeconds + 1).toBeLessThan(patienceSeconds);
    expect(renewMs * 3).toBeLessThanOrEqual(holdSeconds * 1_000);
  });
  it("lets who knocks from outside of the namespace knock again, rather than be refused", () => {
    const text = routesText({ leaders: new Map(), held: new Set(["fdaa:1:2:1::10"]), pools: new Map() });
    expect(text).toContain(
      'door iifname != "lo" tcp dport { 5432, 6432 } ip6 daddr @held_addresses tcp flags & (syn | ack) == syn drop\n',
    );
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
