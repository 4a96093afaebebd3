import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { doorAddress, doorNetwork, isDoorAddress, sourceOf } from "../../src/model/door-address.ts";
import { formatAddress } from "../../src/model/address.ts";

const prefix = "fdaa:3f9a:12bc";
const byte = fc.integer({ min: 0, max: 255 });
const group = fc.integer({ min: 0, max: 0xffff });

describe("the address of somebody who came by a public door", () => {
  it.each([
    ["203.0.113.7", "fdaa:3f9a:12bc:ffff:0:ffff:cb00:7107", "203.0.113.7"],
    ["::ffff:203.0.113.7", "fdaa:3f9a:12bc:ffff:0:ffff:cb00:7107", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "fdaa:3f9a:12bc:ffff:2001:db8:1:2", "2001:db8:1:2::/64"],
    ["fe80::1%eth0", "fdaa:3f9a:12bc:ffff:fe80::", "fe80::/64"],
    ["::1", "fdaa:3f9a:12bc:ffff::1", "::1"],
  ])("holds his own: %s is %s", (source, address, shown) => {
    expect(doorAddress(prefix, source)).toBe(address);
    expect(sourceOf(address)).toBe(shown);
  });

  it("lies in the door's own network, and tells every IPv4 address from every other", () => {
    fc.assert(
      fc.property(fc.tuple(byte, byte, byte, byte), (bytes) => {
        const source = bytes.join(".");
        const address = doorAddress(prefix, source);
        expect(address.startsWith(doorNetwork(prefix).replace("::/64", ":"))).toBe(true);
        expect(sourceOf(address)).toBe(source);
      }),
    );
  });

  it("is the same for all of a /64, which one customer has, and another for the next", () => {
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), group, (groups, last) => {
        const source = formatAddress([0x2001, ...groups.slice(1)]);
        const sibling = formatAddress([0x2001, ...groups.slice(1, 7), last]);
        const stranger = formatAddress([
          0x2001,
          groups[1] ?? 0,
          groups[2] ?? 0,
          (groups[3] ?? 0) ^ 1,
          ...groups.slice(4),
        ]);
        expect(doorAddress(prefix, sibling)).toBe(doorAddress(prefix, source));
        expect(doorAddress(prefix, stranger)).not.toBe(doorAddress(prefix, source));
      }),
    );
  });

  it("is told from those of apps inside", () => {
    const inside = [`${prefix}:c::11`, `${prefix}::3`, "fdaa:1:2:ffff::1", "203.0.113.7", "", "[local]"];
    expect(inside.filter((address) => isDoorAddress(prefix, address))).toEqual([]);
    expect(isDoorAddress(prefix, doorAddress(prefix, "203.0.113.7"))).toBe(true);
    expect(
      ["127.0.0.1", "127.63.0.1", "127.128.0.1", "::1"].filter((address) => isDoorAddress(undefined, address)),
    ).toEqual([]);
    expect(
      ["127.64.0.0", "127.99.1.1", "127.100.1.1", "127.127.255.255"].filter(
        (address) => !isDoorAddress(undefined, address),
      ),
    ).toEqual([]);
  });

  it("is one of 127.64.0.0/10 in portable mode", () => {
    fc.assert(
      fc.property(fc.tuple(byte, byte, byte, byte), (bytes) => {
        const [first, second] = doorAddress(undefined, bytes.join(".")).split(".").map(Number);
        expect(first).toBe(127);
        expect((second ?? 0) & 0b1100_0000).toBe(64);
      }),
    );
    const many = new Set(
      Array.from({ length: 1_000 }, (_, n) => doorAddress(undefined, `198.51.${n >> 8}.${n & 255}`)),
    );
    expect(many.size).toBeGreaterThan(990);
  });
});
