import { expect, it } from "vitest";
import {
  hostAccessRules,
  hostCommands,
  hostLink,
  insideCommands,
  resolvedCommands,
  resolverLines,
} from "../../src/network/host-access-plan.ts";

const prefix = "fdaa:3f9a:12bc";

it("gives the host an interface whose name the kernel takes", () => {
  expect(hostLink("0123abcd")).toBe("perch-0123abcd");
  expect(hostLink("0123abcd").length).toBeLessThanOrEqual(15);
});

it("leads the whole network in by it, and the host's one address back, and touches no other interface", () => {
  const commands = `${hostCommands("perch-1", prefix)}${insideCommands(prefix)}`.trim().split("\n");
  expect(commands.filter((line) => line.startsWith("route "))).toEqual([
    "route replace fdaa:3f9a:12bc::/48 via fe80::5048:1 dev perch-1 src fdaa:3f9a:12bc::1",
    "route replace fdaa:3f9a:12bc::1/128 via fe80::5048:2 dev perch-host",
  ]);
  expect(commands.filter((line) => !/ dev perch-(1|host)( |$)/.test(line))).toEqual([]);
});

it("replaces its rules as a whole, so that twice is the same as once", () => {
  expect(hostAccessRules(prefix)).toMatch(
    /^add table inet perch-host\ndelete table inet perch-host\nadd table inet perch-host\n/,
  );
});

it("tells systemd-resolved of the network's names on that interface, and of nothing else", () => {
  expect(resolvedCommands("perch-1", prefix)).toEqual([
    ["resolvectl", "dns", "perch-1", "fdaa:3f9a:12bc::3"],
    ["resolvectl", "domain", "perch-1", "~internal", "~flycast"],
    ["resolvectl", "default-route", "perch-1", "no"],
  ]);
});

it("says what to add to other resolvers", () => {
  expect(resolverLines(prefix)[0]).toBe("dnsmasq: server=/internal/fdaa:3f9a:12bc::3");
});
