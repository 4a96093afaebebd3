import { describe, expect, it } from "vitest";
import { type Learned, missing } from "../../../src/network/kernel/claims.ts";
import { type Listings, readListings } from "../../../src/network/kernel/snapshot.ts";

const set = () => Promise.resolve();

const links = [
  { ifname: "lo", flags: ["LOOPBACK", "UP"], mtu: 65_536, addr_info: [{ local: "fdaa:1:2::10", prefixlen: 128 }] },
  { ifname: "perch-wait", flags: ["UP"], mtu: 1_500, addr_info: [{ local: "fe80::1", prefixlen: 64 }] },
];
const routes = [
  { type: "unreachable", dst: "fdaa::/16", dev: "lo", metric: 1024 },
  { type: "local", dst: "fdaa:1:2::10", dev: "lo", table: "local" },
  { dst: "default", gateway: "fe80::5043", dev: "perch-wait", table: "5043" },
];
const rules = [{ priority: 10 }, { priority: 100 }, { priority: 32_766 }];
const ruleset = `table inet perch {
	map leader {
		typeof ip6 daddr : ip6 daddr . tcp dport
		elements = { fdaa:1:2::10 : fdaa:1:2::10 . 5433,
			     fdaa:1:2::11 : fdaa:1:2::10 . 5433 }
	}

	set held_addresses {
		type ipv6_addr
		flags timeout
		elements = { fdaa:1:2::10 timeout 6s expires 3s996ms }
	}

	chain output {
		type nat hook output priority -100; policy accept;
		tcp dport 5432 dnat ip6 to ip6 daddr map @leader
	}

	chain hold {
		type route hook output priority raw; policy accept;
	}
}
`;

const listings = (now: { links?: object[]; routes?: object[]; rules?: object[]; nft?: string } = {}): Listings => ({
  ip: `${JSON.stringify(now.links ?? links)}\n${JSON.stringify(now.routes ?? routes)}\n`,
  rules: JSON.stringify(now.rules ?? rules),
  nft: now.nft ?? ruleset,
});

const claim = {
  name: "all",
  set,
  ip: `link add perch-wait type veth peer name perch-door
link set lo mtu 65536
link set lo up
link set dev perch-wait up
address add fdaa:1:2::10/128 dev lo nodad
address replace fe80::1/64 dev perch-wait nodad
route add local fdaa:1:2::10/128 dev lo table local
route replace unreachable fdaa::/16
route replace default via fe80::5043 dev perch-wait table 5043
rule add pref 10 fwmark 0x5043 iif lo lookup 5043
rule delete pref 0
`,
  nft: `add table inet perch
add map inet perch leader { typeof ip6 daddr : ip6 daddr . tcp dport; }
add set inet perch held_addresses { type ipv6_addr; flags timeout; }
add chain inet perch output { type nat hook output priority -100; policy accept; }
add chain inet perch hold { type route hook output priority -300; policy accept; }
flush chain inet perch output
add rule inet perch output tcp dport 5432 dnat ip6 addr . port to ip6 daddr map @leader
add rule inet perch hold tcp dport { 5432 } drop
flush chain inet perch hold
flush map inet perch leader
add element inet perch leader { fdaa:1:2::10 : fdaa:1:2::10 . 5433, fdaa:1:2::11 : fdaa:1:2::10 . 5433 }
add element inet perch held_addresses { fdaa:1:2::10 timeout 6s }
add set inet perch held { type ipv6_addr; }
delete set inet perch held
`,
};

const without = (text: string): Listings => {
  expect(ruleset).toContain(text);
  return listings({ nft: ruleset.replace(text, "") });
};

describe("what the kernel does not hold of what it was told", () => {
  const found = (now: Listings, learned: Learned = new Map()) => missing(claim, readListings(now), learned);

  it("is nothing where all is as it was set", () => {
    expect(found(listings())).toEqual([]);
  });

  it.each([
    [
      "everything of nftables",
      listings({ nft: "" }),
      ["the chain perch/output", "the chain perch/hold", "the set perch/leader", "the set perch/held_addresses"],
    ],
    ["a rule", without("\t\ttcp dport 5432 dnat ip6 to ip6 daddr map @leader\n"), ["rules of the chain perch/output"]],
    ["one element of a map", without(",\n\t\t\t     fdaa:1:2::11 : fdaa:1:2::10 . 5433"), ["elements of perch/leader"]],
    [
      "an address, which takes its route with it",
      listings({ links: [{ ...links[0], addr_info: [] }, links[1] ?? {}], routes: [routes[0] ?? {}, routes[2] ?? {}] }),
      ["the address fdaa:1:2::10 of lo", "the route to fdaa:1:2::10"],
    ],
    ["the MTU", listings({ links: [{ ...links[0], mtu: 600 }, links[1] ?? {}] }), ["the MTU of lo, which is 600"]],
    [
      "an interface that is down",
      listings({ links: [{ ...links[0], flags: ["LOOPBACK"] }, links[1] ?? {}] }),
      ["the interface lo, which is down"],
    ],
    [
      "a pair of interfaces",
      listings({ links: [links[0] ?? {}] }),
      ["the interface perch-wait", "the address fe80::1/64 of perch-wait"],
    ],
    ["a route", listings({ routes: routes.slice(0, 2) }), ["the route to default"]],
    [
      "a rule of routing",
      listings({ rules: [{ priority: 0 }, { priority: 100 }] }),
      ["the rule 10", "the order of rules: rule 0 is back"],
    ],
  ])("names %s", (_what, now, absences) => {
    expect(found(now)).toEqual(absences);
  });

  it("names a rule that was replaced by another, and an element that leads elsewhere", () => {
    const learned: Learned = new Map();
    expect(found(listings(), learned)).toEqual([]);
    expect(
      found(
        listings({ nft: ruleset.replace("tcp dport 5432 dnat ip6 to ip6 daddr map @leader", "tcp dport 5432 drop") }),
        learned,
      ),
    ).toEqual(["a rule of the chain perch/output, which is another"]);
    expect(
      found(listings({ nft: ruleset.replace("fdaa:1:2::11 : fdaa:1:2::10", "fdaa:1:2::11 : fdaa:1:2::99") }), learned),
    ).toEqual(["elements of perch/leader"]);
  });
});
