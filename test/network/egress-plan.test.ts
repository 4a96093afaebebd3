import { expect, it } from "vitest";
import { outwardRules, pastaArgv } from "../../src/network/egress-plan.ts";

it("asks pasta for the way out alone: no port is led in by itself, and the host's loopback has no address inside", () => {
  const argv = pastaArgv("pasta", { net: "/run/netns/perch-1" }, { root: true, log: "/run/perch/1/outward.log" }).join(
    " ",
  );
  expect(argv).toContain("--no-map-gw");
  for (const none of ["-t none", "-u none", "-T none", "-U none"]) expect(argv).toContain(none);
  expect(argv).toContain("--netns-only --netns /run/netns/perch-1");
});

it("joins the user namespace of an ordinary user and stays who it is", () => {
  const argv = pastaArgv("pasta", { net: "/proc/7/ns/net", user: "/proc/7/ns/user" }, { root: false, log: "log" }).join(
    " ",
  );
  expect(argv).toContain("--userns /proc/7/ns/user --netns /proc/7/ns/net");
  expect(argv).not.toContain("--runas");
});

it("lets nobody in, and shuts PostgreSQL's own user off where it has one", () => {
  expect(outwardRules([113])).toContain("output meta skuid 113 reject");
  expect(outwardRules([113, 101])).toContain("output meta skuid 101 reject");
  expect(outwardRules([])).not.toContain("skuid");
  expect(outwardRules([])).toContain("add rule inet perch-out input drop");
});
