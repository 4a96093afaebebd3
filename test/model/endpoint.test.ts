import { describe, expect, it } from "vitest";
import { endpointText, parseEndpoint } from "../../src/model/endpoint.ts";

describe("an endpoint", () => {
  it.each([
    ["vpn.example.com:51820", { host: "vpn.example.com", port: 51_820 }],
    ["vpn.example.com", { host: "vpn.example.com" }],
    ["203.0.113.7:1", { host: "203.0.113.7", port: 1 }],
    ["[2001:db8::1]:51820", { host: "2001:db8::1", port: 51_820 }],
    ["[2001:db8::1]", { host: "2001:db8::1" }],
    ["2001:db8::1", { host: "2001:db8::1" }],
  ])("may be %s", (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual(endpoint);
  });

  it.each([
    ["", "it is not HOST:PORT"],
    ["host:", "it is not HOST:PORT"],
    ["host:0", "a port is a number from 1 to 65535"],
    ["host:65536", "a port is a number from 1 to 65535"],
    ["[nonsense]:1", "there is no IPv6 address between the brackets"],
    ["203.0.113.256:1", "it is no IPv4 address"],
    ["-host:1", "it is no name of a host"],
    ["a b:1", "it is no name of a host"],
    ["host\nEndpoint = evil:1", "it is no"],
  ])("may not be %j", (text, why) => {
    expect(() => parseEndpoint(text)).toThrow(why);
  });

  it("is written with brackets round an IPv6 address", () => {
    expect(endpointText({ host: "2001:db8::1", port: 1 })).toBe("[2001:db8::1]:1");
    expect(endpointText({ host: "vpn.example.com", port: 1 })).toBe("vpn.example.com:1");
  });
});
