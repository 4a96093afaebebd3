import { isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatAddress,
  machineAddress,
  networkPrefix,
  networkResolver,
  parseAddress,
  regionOfAddress,
  regionResolver,
  reverseName,
} from "../../src/model/address.ts";
import { findRegion, regions } from "../../src/model/region.ts";

const region = (code: string) => {
  const found = findRegion(code);
  if (found === undefined) throw new Error(`no region ${code}`);
  return found;
};

/** The canonical text that the URL standard gives an address. */
const canonical = (address: string): string => new URL(`http://[${address}]/`).hostname.slice(1, -1);

describe("the text of an address", () => {
  it.each([
    ["::", [0, 0, 0, 0, 0, 0, 0, 0]],
    ["::1", [0, 0, 0, 0, 0, 0, 0, 1]],
    ["1::", [1, 0, 0, 0, 0, 0, 0, 0]],
    ["fdaa::3", [0xfdaa, 0, 0, 0, 0, 0, 0, 3]],
    ["2001:db8::1:0:0:1", [0x2001, 0xdb8, 0, 0, 1, 0, 0, 1]],
    ["2001:0:0:1::1", [0x2001, 0, 0, 1, 0, 0, 0, 1]],
    ["2001:db8:0:1:1:1:1:1", [0x2001, 0xdb8, 0, 1, 1, 1, 1, 1]],
    ["1:2:3:4:5:6:7:8", [1, 2, 3, 4, 5, 6, 7, 8]],
  ])("is %s as RFC 5952 has it", (text, groups) => {
    expect(formatAddress(groups)).toBe(text);
    expect(parseAddress(text)).toEqual(groups);
  });

  // Zeros are frequent, so that runs of them meet.
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
  const groups = fc.array(group, { minLength: 8, maxLength: 8 });

  it("is what the URL standard makes of the same groups, and is read back", () => {
    fc.assert(
      fc.property(groups, (drawn) => {
        const text = formatAddress(drawn);
        expect(text).toBe(canonical(drawn.map((one) => one.toString(16)).join(":")));
        expect(parseAddress(text)).toEqual(drawn);
      }),
      { numRuns: 1000 },
    );
  });

  it("is accepted where Node accepts it and refused where Node refuses it", () => {
    const pieces = fc.array(fc.constantFrom(":", "::", "0", "1", "ab", "FFFF", "12345", "g", "fdaa"), {
      maxLength: 16,
    });
    fc.assert(
      fc.property(pieces, (drawn) => {
        const text = drawn.join("");
        const parsed = parseAddress(text);
        expect(parsed !== undefined).toBe(isIPv6(text));
        if (parsed !== undefined) expect(formatAddress(parsed)).toBe(canonical(text));
      }),
      { numRuns: 5000 },
    );
  });

  it.each(["", " ::1", "::1 ", "fe80::1%eth0", "::ffff:1.2.3.4", "1.2.3.4", "::1\n", "[::1]", ":::", "::-1"])(
    "is not %j here",
    (text) => {
      expect(parseAddress(text)).toBeUndefined();
      expect(reverseName(text)).toBeUndefined();
    },
  );
});

describe("the addresses of a network", () => {
  it("begin with fdaa and 32 random bits", () => {
    expect(networkPrefix(0x3f9a12bc)).toBe("fdaa:3f9a:12bc");
    expect(networkPrefix(0xffffffff)).toBe("fdaa:ffff:ffff");
    expect(networkPrefix(0)).toBe("fdaa:0:0");
  });

  it.each(["fdaa:3f9a:12bc", "fdaa:0:0", "fdaa:0:1", "fdaa:ffff:0"])(
    "are valid, canonical and distinct under %s",
    (prefix) => {
      const numbers = [16, 17, 0xffff, 0x10000, 0xffffffff];
      const machines = regions.flatMap((at) => numbers.map((number) => machineAddress(prefix, at, number)));
      const all = [...machines, networkResolver(prefix), ...regions.map((at) => regionResolver(prefix, at))];
      expect(new Set(all).size).toBe(all.length);
      for (const address of all) expect(address).toBe(canonical(address));
      const network = parseAddress(`${prefix}::`)?.slice(0, 3);
      for (const address of all) expect(parseAddress(address)?.slice(0, 3)).toEqual(network);
    },
  );

  it("carry the region right after the /48", () => {
    const lhr = machineAddress("fdaa:3f9a:12bc", region("lhr"), 17);
    expect(lhr).toBe("fdaa:3f9a:12bc:c::11");
    expect(machineAddress("fdaa:3f9a:12bc", region("ams"), 0x12345)).toBe("fdaa:3f9a:12bc:1::1:2345");
    for (const at of regions)
      expect(regionOfAddress("fdaa:3f9a:12bc", machineAddress("fdaa:3f9a:12bc", at, 99))).toBe(at);
  });

  it("name no region where they are of another network or of none", () => {
    const lhr = machineAddress("fdaa:1:2", region("lhr"), 17);
    expect(regionOfAddress("fdaa:1:3", lhr)).toBeUndefined();
    expect(regionOfAddress("fdaa:1:2", networkResolver("fdaa:1:2"))).toBeUndefined();
    expect(regionOfAddress("fdaa:1:2", "fdaa:1:2:ffff::1")).toBeUndefined();
    expect(regionOfAddress("fdaa:1:2", "localhost")).toBeUndefined();
  });

  it("have their resolvers at ::3, one a region", () => {
    expect(networkResolver("fdaa:3f9a:12bc")).toBe("fdaa:3f9a:12bc::3");
    expect(regionResolver("fdaa:3f9a:12bc", region("lhr"))).toBe("fdaa:3f9a:12bc::3:c");
  });
});

describe("the name for PTR", () => {
  it("is the one of RFC 3596, however the address is written", () => {
    const name = "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa";
    expect(reverseName("4321:0:1:2:3:4:567:89ab")).toBe(name);
    expect(reverseName("4321::1:2:3:4:567:89AB")).toBe(name);
    expect(reverseName("::1")).toBe(`1.${"0.".repeat(31)}ip6.arpa`);
  });
});
