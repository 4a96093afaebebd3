import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prepareDirectories } from "../../../src/daemon/prepare.ts";
import { askNameServer, type DigAnswer, type DigQuestion } from "../../../src/dns/ask.ts";
import type { NameServerClient } from "../../../src/dns/control.ts";
import { resolvers } from "../../../src/dns/resolvers.ts";
import { startNameServer } from "../../../src/dns/start.ts";
import { run } from "../../../src/host/process/command.ts";
import { removeTree, writeWhole } from "../../../src/host/files/files.ts";
import { findHome } from "../../../src/host/system/home.ts";
import { findUser } from "../../../src/host/system/users.ts";
import { openNamespace } from "../../../src/network/choose.ts";
import { enterNetwork, hostsText } from "../../../src/network/enter.ts";
import { nsswitchText, resolvText } from "../../../src/network/lookup-files.ts";
import { networkInterface } from "../../../src/network/interface.ts";
import type { Namespace } from "../../../src/network/namespace.ts";
import { amsReplica, leader, london, machine, prefix, washington, zoneData } from "../../dns/zone-fixture.ts";
import { ordinary, otherServer, type OtherServer } from "../../dns/other-server.ts";
import { recordProcess } from "../../support/processes.ts";
import { tempHome } from "../../support/temporary.ts";
import { missingTools } from "../../support/tools.ts";

const many = Array.from({ length: 90 }, (_, i) => machine(`m${i}`, "ams", `1::${(256 + i).toString(16)}`));
const zone = { ...zoneData, apps: [...zoneData.apps, { name: "many", machines: many }] };
const region = { ams: `${prefix}::3:1`, lhr: `${prefix}::3:c`, iad: `${prefix}::3:9` };

/** Random datagrams, and beginnings of TCP messages, to a name server. */
const garbage = `
const { randomBytes } = require("crypto"), [address] = process.argv.slice(1);
const socket = require("dgram").createSocket("udp6");
for (let i = 0; i < 5000; i++) socket.send(randomBytes(i % 600), 53, address);
for (let i = 0; i < 300; i++) require("net").connect(53, address).on("error", () => {}).write(Buffer.of(0, 60, 1));
setTimeout(() => process.exit(0), 500);`;

describe.skipIf(missingTools("ip", "nft", "nsenter", "unshare"))("the name server inside the namespace", () => {
  const home = findHome({ PERCH_HOME: tempHome() });
  let namespace: Namespace;
  let client: NameServerClient;
  let host: OtherServer;
  const dig = (name: string, server: string, more: Partial<DigQuestion> = {}): Promise<DigAnswer> =>
    askNameServer(namespace.place.tool([]), { name, type: "AAAA", server, tcp: false, ...more });
  const data = (answer: DigAnswer) => answer.answers.map((record) => record.data);

  beforeAll(async () => {
    await prepareDirectories(home);
    namespace = (
      await openNamespace(home, {
        portable: false,
        postgres: process.getuid?.() === 0 ? await findUser("nobody") : undefined,
      })
    ).namespace;
    const machines = zone.apps.flatMap((app) => app.machines.map((each) => each.address));
    await networkInterface(namespace.place, prefix).setAddresses([
      ...resolvers(prefix).map((resolver) => resolver.address),
      ...machines,
    ]);
    host = await otherServer("127.0.0.1", 0, ordinary);
    const resolvConf = join(home.runtime, "host-resolv.conf");
    await writeWhole(resolvConf, "nameserver 127.0.0.1\n");
    client = await startNameServer(
      {
        zone,
        control: join(home.runtime, "dns.sock"),
        enter: namespace.place.tool([]),
        version: "1",
        resolvConf,
        resolverPort: host.port,
      },
      2,
    );
    await recordProcess((await client.ping()).pid);
  });
  afterAll(async () => {
    await client.stop();
    host.close();
    await namespace.remove();
    await removeTree(home.runtime);
  });

  it("answers at fdaa::3 and at the network's own address, over UDP and TCP", async () => {
    for (const server of ["fdaa::3", `${prefix}::3`]) {
      for (const tcp of [false, true]) {
        expect(data(await dig("global.pg.internal", server, { tcp }))).toEqual([
          leader,
          amsReplica,
          london,
          washington,
        ]);
        expect(data(await dig("pg.internal", server, { tcp }))).toEqual([leader]);
      }
    }
  });

  it("answers nearest first for the region of the address that was asked", async () => {
    for (const [from, nearest] of [
      [region.ams, leader] as const,
      [region.lhr, london] as const,
      [region.iad, washington] as const,
    ]) {
      expect(data(await dig("pg.internal", from))).toEqual([nearest]);
      expect(data(await dig("global.pg.internal", from))[0]).toBe(nearest);
    }
    expect(data(await dig("top1.nearest.of.pg.internal", region.lhr))).toEqual([london]);
    expect(data(await dig("top1.nearest.of.pg.internal", region.lhr, { tcp: true }))).toEqual([london]);
  });

  it("gives an answer too long for UDP by TCP", async () => {
    const answer = await dig("many.internal", "fdaa::3");
    expect(answer.answers).toHaveLength(90);
    const text = await dig("vms.many.internal", "fdaa::3", { type: "TXT" });
    expect(data(text)).toEqual([many.map(({ id }) => `${id} ams`).join(",")]);
  });

  it("knows addresses by name", async () => {
    expect(data(await dig(leader, "fdaa::3", { type: "PTR" }))).toEqual(["1c.vm.pg.internal"]);
    expect((await dig(`${prefix}:1::ffff`, "fdaa::3", { type: "PTR" })).status).toBe("NXDOMAIN");
  });

  it("reaches the host's resolver, which is not in the namespace", async () => {
    expect(data(await dig("example.com", "fdaa::3", { type: "A" }))).toEqual(["192.0.2.1"]);
    expect(data(await dig("long.example.com", "fdaa::3", { type: "A" }))).toHaveLength(60);
    expect(host.asked.some((asked) => asked.includes("internal") || asked.includes("arpa"))).toBe(false);
  });

  it("goes on answering under a flood of garbage", async () => {
    const flood = run(namespace.place.tool([process.execPath, "-e", garbage, "fdaa::3"]));
    expect(data(await dig("global.pg.internal", "fdaa::3", { tcp: true }))).toHaveLength(4);
    await flood;
    expect(data(await dig("global.pg.internal", "fdaa::3"))).toHaveLength(4);
    expect((await client.ping()).queries).toBeGreaterThan(1_000);
  });

  it("is what the C library asks and whose order it keeps", async () => {
    const files = {
      resolv: join(home.runtime, "resolv"),
      nsswitch: join(home.runtime, "nsswitch"),
      hosts: join(home.runtime, "hosts"),
    };
    await writeWhole(files.nsswitch, nsswitchText(""), { mode: 0o644 });
    await writeWhole(files.hosts, hostsText("::1 localhost\n", london), { mode: 0o644 });
    for (const [server, first] of [
      [region.lhr, london],
      [region.ams, leader],
      [region.iad, washington],
    ] as const) {
      await writeWhole(files.resolv, resolvText(server), { mode: 0o644 });
      const user = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
      const { stdout } = await run([
        ...enterNetwork(namespace.place, files, [], user),
        "getent",
        "ahosts",
        "global.pg.internal",
      ]);
      const addresses = [
        ...new Set(
          stdout
            .trim()
            .split("\n")
            .map((line) => line.split(" ")[0]),
        ),
      ];
      expect(addresses).toHaveLength(4);
      expect(addresses[0]).toBe(first);
      const reverse = await run([...enterNetwork(namespace.place, files, [], user), "getent", "hosts", london]);
      expect(reverse.stdout).toMatch(/4a\.vm\.pg\.internal|fly-local-6pn/);
    }
  });
});
