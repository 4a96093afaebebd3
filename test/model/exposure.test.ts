import { describe, expect, it } from "vitest";
import { checkHostname, isEverywhere, parseCidr, parseListen } from "../../src/model/exposure.ts";

describe("where a public door listens", () => {
  it.each([
    ["203.0.113.7:5432", { host: "203.0.113.7", port: 5432 }],
    ["[2001:db8::1]:443", { host: "2001:db8::1", port: 443 }],
    ["0.0.0.0:65535", { host: "0.0.0.0", port: 65_535 }],
  ])("is an address and a port: %s", (text, listen) => {
    expect(parseListen(text, "--listen")).toEqual(listen);
  });

  it.each([
    "",
    "5432",
    ":5432",
    "203.0.113.7",
    "203.0.113.7:",
    "203.0.113.7:0",
    "203.0.113.7:65536",
    "203.0.113.256:1",
    "db.example.com:5432",
    "2001:db8::1:5432",
    "[::1]",
    "[203.0.113.7]:1",
    "1.2.3.4:5\n",
  ])("is not %j", (text) => {
    expect(() => parseListen(text, "--listen")).toThrow("is not valid");
  });

  it("may be every address of the machine", () => {
    const everywhere = ["0.0.0.0:1", "[::]:1", "[0:0::0]:1", "[::1]:1", "127.0.0.1:1"].map((text) =>
      isEverywhere(parseListen(text, "--listen")),
    );
    expect(everywhere).toEqual([true, true, true, false, false]);
  });
});

describe("who may come", () => {
  it.each([
    ["203.0.113.0/24", { address: "203.0.113.0", bits: 24, family: "ipv4" }],
    ["203.0.113.7", { address: "203.0.113.7", bits: 32, family: "ipv4" }],
    ["0.0.0.0/0", { address: "0.0.0.0", bits: 0, family: "ipv4" }],
    ["2001:db8::/32", { address: "2001:db8::", bits: 32, family: "ipv6" }],
    ["::1", { address: "::1", bits: 128, family: "ipv6" }],
  ])("is a CIDR or an address: %s", (text, cidr) => {
    expect(parseCidr(text)).toEqual(cidr);
  });

  it.each([
    "",
    "/24",
    "203.0.113.0/33",
    "203.0.113.0/",
    "203.0.113.0/a",
    "203.0.113.0/24/24",
    "203.0.0113.0/24",
    "2001:db8::/129",
    "example.com",
    "all",
  ])("is not %j", (text) => {
    expect(() => parseCidr(text)).toThrow("is not valid");
  });
});

describe("the public name", () => {
  it("is a DNS name, in lower case and without the dot at its end", () => {
    expect(["db.example.com", "DB.Example.Com.", "xn--bcher-kva.example"].map(checkHostname)).toEqual([
      "db.example.com",
      "db.example.com",
      "xn--bcher-kva.example",
    ]);
  });

  it.each([
    "",
    "localhost",
    "203.0.113.7",
    "db..example.com",
    "-db.example.com",
    "db_1.example.com",
    "pg.internal",
    "pg.flycast",
    "a b.example.com",
    `${"a".repeat(64)}.com`,
  ])("is not %j", (name) => {
    expect(() => checkHostname(name)).toThrow("is not valid");
  });
});
