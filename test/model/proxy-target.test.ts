import { describe, expect, it } from "vitest";
import { proxyTarget } from "../../src/model/proxy-target.ts";

const prefix = "fdaa:3f9a:12bc";

describe("perch proxy may lead to", () => {
  it.each([
    ["a name of the network", "pg.internal", { kind: "name", name: "pg.internal" }],
    ["a name as it is typed", "LHR.pg.Internal.", { kind: "name", name: "lhr.pg.internal" }],
    [
      "a name with metadata in it",
      "web.fly_process_group.kv._metadata.app.internal",
      { kind: "name", name: "web.fly_process_group.kv._metadata.app.internal" },
    ],
    [".flycast, the other word", "pg.flycast", { kind: "name", name: "pg.flycast" }],
    ["an address of the network", "fdaa:3f9a:12bc:c::11", { kind: "address", address: "fdaa:3f9a:12bc:c::11" }],
    ["the same between brackets", "[FDAA:3f9a:12bc:c::11]", { kind: "address", address: "fdaa:3f9a:12bc:c::11" }],
    ["the well-known resolver", "fdaa::3", { kind: "address", address: "fdaa::3" }],
    ["the loopback inside", "localhost", { kind: "loopback" }],
  ])("%s", (_title, host, target) => {
    expect(proxyTarget(prefix, host)).toEqual(target);
  });
});

describe("perch proxy may not lead to", () => {
  it.each([
    ["an address of the Internet", "1.1.1.1"],
    ["the host's loopback, by number", "127.0.0.1"],
    ["the loopback of IPv6", "::1"],
    ["an IPv4 address dressed as another", "::ffff:127.0.0.1"],
    ["another network", "fdaa:3f9a:12bd:c::11"],
    ["the host's own address in the network", "fdaa:3f9a:12bc::1"],
    ["a name of the Internet", "example.com"],
    ["a name that only looks like one of ours", "pg.internal.example.com"],
    ["an app without .internal", "pg"],
    ["the domain itself", ".internal"],
    ["a name with something else in it", "pg@evil.internal"],
    ["a line break", "pg\r\nHost: evil.internal"],
    ["nothing", ""],
  ])("%s", (_title, host) => {
    expect(() => proxyTarget(prefix, host)).toThrow(expect.objectContaining({ code: "target_refused" }));
  });

  it("and says so without the control characters of what was asked for", () => {
    expect(() => proxyTarget(prefix, "pg\u001b[2m")).toThrow("pg\\u{1b}[2m.internal may be meant");
  });
});
