import { describe, expect, it } from "vitest";
import { makeZone } from "../../src/dns/zone.ts";
import type { Question } from "../../src/dns/records.ts";
import type { ZoneMachine } from "../../src/dns/zone-data.ts";
import { reverseName } from "../../src/model/address.ts";
import { amsReplica, leader, london, machine, prefix, washington, zoneData } from "./zone-fixture.ts";

const zone = makeZone(zoneData, 7);
const web = { lhr: `${prefix}:c::20`, ams: `${prefix}:1::21` };

/** The data of the answer, or the code where there is none. */
function ask(name: string, type: Question["type"] = "AAAA", region?: string): string[] | string {
  const { rcode, records } = zone.answer({ name, type }, region);
  if (records.length === 0) return rcode === "NOERROR" ? "NODATA" : rcode;
  return records.map((record) =>
    record.type === "SOA" ? `SOA ${record.apex} ${record.serial} ${record.minimum}` : record.data,
  );
}

describe("an app's addresses", () => {
  it.each<[string, string | undefined, string[] | string]>([
    ["pg.internal", undefined, [leader]],
    ["pg.internal", "ams", [leader]],
    ["pg.internal", "lhr", [london]],
    ["pg.internal", "iad", [washington]],
    ["pg.internal", "syd", [washington]],
    ["global.pg.internal", undefined, [leader, amsReplica, london, washington]],
    ["global.pg.internal", "ams", [leader, amsReplica, london, washington]],
    ["global.pg.internal", "iad", [washington, london, leader, amsReplica]],
    ["global.pg.internal", "syd", [washington, leader, amsReplica, london]],
    ["global.pg.internal", "lhr", [london, leader, amsReplica, washington]],
    ["ams.pg.internal", "iad", [leader, amsReplica]],
    ["lhr.pg.internal", "ams", [london]],
    ["syd.pg.internal", "ams", "NODATA"],
    ["nrt.pg.internal", "ams", "NODATA"],
    ["xyz.pg.internal", "ams", "NXDOMAIN"],
    ["leader.pg.internal", "iad", [leader]],
    ["replica.pg.internal", "iad", [washington, london, amsReplica]],
    ["replica.web.internal", "iad", "NODATA"],
    ["top1.nearest.of.pg.internal", "lhr", [london]],
    ["top2.nearest.of.pg.internal", "iad", [washington, london]],
    ["top99.nearest.of.pg.internal", "ams", [leader, amsReplica, london, washington]],
    ["top0.nearest.of.pg.internal", "ams", "NXDOMAIN"],
    ["topx.nearest.of.pg.internal", "ams", "NXDOMAIN"],
    ["nearest.of.pg.internal", "ams", "NODATA"],
    ["of.pg.internal", "ams", "NODATA"],
    ["4a.vm.pg.internal", "ams", [london]],
    ["5e.vm.pg.internal", "ams", "NODATA"],
    ["w1.vm.pg.internal", "ams", "NXDOMAIN"],
    ["vm.pg.internal", "ams", "NODATA"],
    ["worker.process.web.internal", "lhr", [web.ams]],
    ["cron.process.web.internal", "lhr", "NODATA"],
    ["none.process.web.internal", "lhr", "NXDOMAIN"],
    ["process.web.internal", "lhr", "NODATA"],
    ["primary.role.kv._metadata.pg.internal", "ams", [leader]],
    ["1.2.version.kv._metadata.pg.internal", "ams", [leader]],
    ["2.version.kv._metadata.pg.internal", "ams", "NODATA"],
    ["role.kv._metadata.pg.internal", "ams", "NODATA"],
    ["kv._metadata.pg.internal", "ams", "NODATA"],
    ["_metadata.pg.internal", "ams", "NODATA"],
    ["other.role.kv._metadata.pg.internal", "ams", "NXDOMAIN"],
    ["idle.internal", "ams", "NODATA"],
    ["nope.internal", "ams", "NXDOMAIN"],
    ["a.lhr.pg.internal", "ams", "NXDOMAIN"],
    ["laptop._peer.internal", "ams", [`${prefix}::a:1`]],
    ["interactive-7f._peer.internal", "ams", [`${prefix}::a:2`]],
    ["nobody._peer.internal", "ams", "NXDOMAIN"],
    ["_dns.internal", "ams", [`${prefix}::3`, "fdaa::3"]],
    ["lhr._dns.internal", "ams", [`${prefix}::3:c`]],
  ])("%s from %s", (name, region, expected) => {
    expect(ask(name, "AAAA", region)).toEqual(expected);
  });

  it("are asked for in any case, and below .flycast as well", () => {
    expect(ask("TOP1.Nearest.OF.Pg.InTerNal", "AAAA", "lhr")).toEqual([london]);
    expect(ask("pg.flycast", "AAAA", "lhr")).toEqual(ask("pg.internal", "AAAA", "lhr"));
    expect(ask("ams.pg.flycast", "AAAA", "lhr")).toEqual([leader, amsReplica]);
    expect(ask("nope.flycast")).toBe("NXDOMAIN");
  });

  it("are seen from the default region where neither the asker nor the app has one", () => {
    expect(ask("web.internal")).toEqual([web.ams, web.lhr]);
    expect(ask("web.internal", "AAAA", "cdg")).toEqual([web.lhr, web.ams]);
  });

  it("come in the same order however the machines are listed", () => {
    const shuffled = {
      ...zoneData,
      apps: zoneData.apps.map((app) => ({ ...app, machines: app.machines.toReversed() })),
    };
    for (const name of ["pg.internal", "global.pg.internal"]) {
      const other = makeZone(shuffled, 8).answer({ name, type: "AAAA" }, "lhr");
      expect(other.records.map((record) => (record.type === "AAAA" ? record.data : ""))).toEqual(
        ask(name, "AAAA", "lhr"),
      );
    }
  });

  it("are sorted by their value, not by how they are written", () => {
    const machines = [machine("a", "ams", "1::100"), machine("b", "ams", "1::20"), machine("c", "ams", "1::9")];
    const answer = makeZone({ ...zoneData, apps: [{ name: "n", machines }] }, 1).answer(
      { name: "n.internal", type: "AAAA" },
      "ams",
    );
    expect(answer.records).toEqual(["9", "20", "100"].map((last) => ({ type: "AAAA", data: `${prefix}:1::${last}` })));
  });
});

describe("the one address of a cluster", () => {
  const near = machine("l1", "lhr", "c::11", { role: "replica" });
  const far = machine("a1", "ams", "1::10", { role: "leader" });
  const run = machine("r1", "lhr", "c::2", { group: "app" });
  const seen = (name: string, ...machines: ZoneMachine[]) => {
    const { rcode, records } = makeZone({ ...zoneData, apps: [{ name: "n", machines }] }, 1).answer(
      { name, type: "AAAA" },
      "lhr",
    );
    return records.length === 0
      ? rcode
      : records.map((record) => (record.type === "AAAA" ? record.data.slice(prefix.length + 1) : record.type));
  };

  it("is never that of a run of its app, however near", () => {
    expect(seen("n.internal", run, near, far)).toEqual(["c::11"]);
    expect(seen("n.internal", run, { ...near, healthy: false }, far)).toEqual(["1::10"]);
    expect(seen("global.n.internal", run, near, far)).toEqual(["c::2", "c::11", "1::10"]);
  });

  it("leaves a member that is not well, and is the leader's where none is", () => {
    const [ill, dead] = [
      { ...near, healthy: false },
      { ...far, state: "stopped" as const, healthy: false },
    ];
    expect(seen("n.internal", ill, far)).toEqual(["1::10"]);
    expect(seen("n.internal", near, dead)).toEqual(["c::11"]);
    expect(seen("n.internal", ill, dead, run)).toEqual(["1::10"]);
    expect(seen("n.internal", dead)).toEqual(["1::10"]);
    expect(seen("global.n.internal", ill, dead)).toBe("NOERROR");
  });

  it("is the nearest member's where no leader is known, and none of an app without members", () => {
    const other = machine("s1", "syd", "11::13", { role: "replica", healthy: false });
    for (const machines of [
      [other, { ...near, healthy: false }],
      [{ ...near, healthy: false }, other],
    ])
      expect(seen("n.internal", ...machines)).toEqual(["c::11"]);
    expect(seen("n.internal")).toBe("NOERROR");
    expect(seen("n.internal", run, { ...run, address: `${prefix}:1::3`, region: "ams" })).toEqual(["c::2", "1::3"]);
  });

  it("is kept by the leader's own name while the leader is down, for connections to wait at", () => {
    expect(seen("leader.n.internal", near, { ...far, healthy: false })).toEqual(["1::10"]);
    expect(seen("leader.n.internal", near)).toBe("NOERROR");
    expect(seen("leader.n.internal", run)).toBe("NOERROR");
  });
});

describe("lists as text", () => {
  it.each<[string, string]>([
    ["vms.pg.internal", "4a lhr,2b ams,1c ams,9d iad,6f lhr"],
    ["all.vms.pg.internal", "4a lhr,2b ams,1c ams,9d iad,5e syd,6f lhr"],
    ["regions.pg.internal", "ams,iad,lhr"],
    ["all.regions.pg.internal", "ams,iad,lhr,syd"],
    ["regions.pg.flycast", "ams,iad,lhr"],
    ["vms.idle.internal", "NODATA"],
    ["some.vms.pg.internal", "NXDOMAIN"],
    ["_apps.internal", "idle,pg,web"],
    ["_peer.internal", "laptop"],
    ["pg.internal", "NODATA"],
    ["x._apps.internal", "NXDOMAIN"],
    ["some._instances.internal", "NXDOMAIN"],
  ])("%s", (name, expected) => {
    const got = ask(name, "TXT");
    expect(typeof got === "string" ? got : got.join()).toBe(expected);
  });

  it("name every started instance, and with all. the stopped ones, too", () => {
    const started = String(ask("_instances.internal", "TXT")).split(";");
    expect(started).toHaveLength(7);
    expect(started[0]).toBe(`instance=4a,app=pg,ip=${london},region=lhr`);
    expect(String(ask("all._instances.internal", "TXT")).split(";")).toHaveLength(9);
  });
});

describe("names of addresses", () => {
  const reverse = (address: string) => ask(reverseName(address) ?? "", "PTR");

  it("are those of machines (running or not), resolvers and peers", () => {
    expect(reverse(leader)).toEqual(["1c.vm.pg.internal"]);
    expect(reverse(`${prefix}:11::13`)).toEqual(["5e.vm.pg.internal"]);
    expect(reverse("fdaa::3")).toEqual(["_dns.internal"]);
    expect(reverse(`${prefix}::3`)).toEqual(["_dns.internal"]);
    expect(reverse(`${prefix}::3:c`)).toEqual(["lhr._dns.internal"]);
    expect(reverse(`${prefix}::a:1`)).toEqual(["laptop._peer.internal"]);
    expect(ask((reverseName(leader) ?? "").toUpperCase(), "PTR")).toEqual(["1c.vm.pg.internal"]);
  });

  it("do not exist where nothing is, but their parents do", () => {
    expect(reverse(`${prefix}:1::99`)).toBe("NXDOMAIN");
    const full = reverseName(leader) ?? "";
    expect(ask(full.slice(2), "PTR")).toBe("NODATA");
    expect(ask(full.slice(38), "PTR")).toBe("NODATA");
    expect(ask(`1.${full}`, "PTR")).toBe("NXDOMAIN");
    expect(ask(full, "AAAA")).toBe("NODATA");
  });

  it("do not exist in another network", () => {
    expect(reverse("fdaa:3f9a:12bd::1")).toBe("NXDOMAIN");
  });

  it("are ours in every network of Perch: nobody outside is asked about one", () => {
    for (const [name, ours] of [
      [reverseName(`${prefix}:ffff::1`), true],
      [reverseName(`${prefix}::`)?.slice(-32), true],
      [reverseName("fdaa::3"), true],
      [reverseName("fdaa::4"), true],
      [reverseName("fdaa:3f9a:12bd::1"), true],
      [reverseName("fdab::1"), false],
      ["1.0.0.127.in-addr.arpa", false],
      ["internal", true],
      ["pg.flycast", true],
      ["notinternal", false],
      ["pg.internal.example.com", false],
      ["", false],
    ] as const)
      expect(zone.holds(name ?? ""), name).toBe(ours);
  });
});

describe("the top of a zone", () => {
  it("has SOA and NS, and is the authority of what is not there", () => {
    expect(ask("internal", "SOA")).toEqual(["SOA internal 7 5"]);
    expect(ask("internal", "NS")).toEqual(["_dns.internal"]);
    expect(ask("internal", "ANY")).toHaveLength(2);
    expect(ask("internal", "AAAA")).toBe("NODATA");
    expect(ask((reverseName(`${prefix}::`) ?? "").slice(-32), "NS")).toEqual(["_dns.internal"]);
    expect(zone.answer({ name: "Nope.INTERNAL", type: "AAAA" }, undefined).soa).toEqual({
      apex: "internal",
      serial: 7,
      minimum: 5,
    });
    expect(zone.answer({ name: "nope.flycast", type: "AAAA" }, undefined).soa.apex).toBe("flycast");
    expect(zone.answer({ name: reverseName(`${prefix}::99`) ?? "", type: "PTR" }, undefined).soa.apex).toBe(
      "c.b.2.1.a.9.f.3.a.a.d.f.ip6.arpa",
    );
  });

  it("answers types it has never heard of like those it has not", () => {
    expect(ask("pg.internal", "A")).toBe("NODATA");
    expect(ask("pg.internal", "OTHER")).toBe("NODATA");
    expect(ask("pg.internal", "ANY", "lhr")).toEqual([london]);
    expect(ask("global.pg.internal", "ANY", "lhr")).toHaveLength(4);
  });
});
