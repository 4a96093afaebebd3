import { describe, expect, it } from "vitest";
import { reachText } from "../../src/network/reach.ts";

const text = reachText({ users: [105], servers: ["fdaa:1:2:1::10", "fdaa:1:2:c::11"], resolvers: ["fdaa:1:2::3"] });

describe("who may speak for whom", () => {
  it("is set as a whole: what was there before is gone", () => {
    expect(text.split("\n").slice(0, 3)).toEqual([
      "add table inet perch-reach",
      "delete table inet perch-reach",
      "add table inet perch-reach",
    ]);
  });

  it("lets the server's user alone answer a connection at a member's ports, and drops what belongs to no socket", () => {
    expect(text).toContain(
      "tcp sport { 5432, 5433, 6432, 6433 } tcp flags & (syn | ack) == syn | ack ip6 saddr @servers jump own",
    );
    const own = text.split("\n").filter((line) => line.startsWith("add rule inet perch-reach own"));
    expect(own).toEqual(["add rule inet perch-reach own meta skuid 105 accept", "add rule inet perch-reach own drop"]);
    expect(reachText({ users: [105, 101], servers: [], resolvers: [] })).toContain(
      "own meta skuid 105 accept\nadd rule inet perch-reach own meta skuid 101 accept\nadd rule inet perch-reach own drop",
    );
  });

  it("leads who comes from outside to databases at members and to names at resolvers", () => {
    expect(text).toContain('iifname "wg-*" ct state new jump guests');
    expect(text).toContain('iifname "perch-host" ct state new jump guests');
    expect(text).toContain("add element inet perch-reach servers { fdaa:1:2:1::10, fdaa:1:2:c::11 }");
    expect(text).toContain("dport 53 ip6 daddr != @resolvers reject");
  });

  it("has no element where there is no member: then no database is reached", () => {
    expect(reachText({ users: [105], servers: [], resolvers: [] })).not.toContain("element");
  });
});
