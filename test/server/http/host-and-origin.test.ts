import { describe, expect, it } from "vitest";
import { hostIn, refusedByHeaders, socketHosts } from "../../../src/server/http/host-and-origin.ts";

const hosts = ["_perchd.internal", "db.example.com", "203.0.113.7", "2001:db8::1"];
const code = (headers: Record<string, string>, allowed: readonly string[] = hosts) =>
  refusedByHeaders(headers, allowed)?.code;

describe("a request's Host", () => {
  it.each(["db.example.com", "DB.Example.com:6643", "203.0.113.7:6643", "[2001:db8::1]:6643", "_perchd.internal"])(
    "may be %s",
    (host) => {
      expect(code({ host })).toBeUndefined();
    },
  );

  it.each([
    "evil.example",
    "db.example.com.evil.example",
    "evil.example:6643",
    "db.example.com@evil.example",
    "203.0.113.70",
    "localhost",
    "127.0.0.1:6643",
    "",
    "[::1]",
    "[2001:db8::1",
    "db.example.com:6643:6643",
    "db.example.com.",
  ])("may not be %j", (host) => {
    expect(code({ host })).toBe("host_refused");
  });

  it("may be missing, localhost or perchd on the socket, and nothing else", () => {
    const allowed = [{}, { host: "localhost:80" }, { host: "perchd" }].map((headers) => code(headers, socketHosts));
    expect(allowed).toEqual([undefined, undefined, undefined]);
    expect(code({ host: "rebound.example" }, socketHosts)).toBe("host_refused");
  });

  it("is read without its port and brackets", () => {
    expect(["A.b:1", "[::1]:2", "c", ""].map(hostIn)).toEqual(["a.b", "::1", "c", ""]);
  });
});

describe("a request of a page", () => {
  it.each([
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "https://db.example.com" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
  ])("is refused: %j", (headers) => {
    expect(code({ host: "db.example.com", ...headers })).toBe("origin_refused");
  });
});
